"""Timings of the state-vector engine against its peers, paired in one run: ``python -m benchmarks``."""
