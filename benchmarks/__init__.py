"""Timings of the state-vector engine against its peers, and of sweeps, paired in one run: ``python -m benchmarks``."""
