"""The state of an installation: versions, machine, compiled kernels, optional parts, a self-test of every engine."""
