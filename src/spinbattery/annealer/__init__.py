"""The emulated annealer: a sampler with the interface of D-Wave's, run on this machine."""
