"""Quantum trajectories: strata of jumps, sampled and integrated."""
