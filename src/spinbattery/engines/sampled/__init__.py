"""Engines that read a sampler: an annealer, real or emulated."""
