"""Timings of engines, sweeps and the emulator against their peers, paired in one run: ``python -m benchmarks``."""
