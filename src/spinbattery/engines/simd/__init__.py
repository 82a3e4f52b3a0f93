"""Compiled kernels on rows of amplitudes, with explicit vector instructions."""
