"""What engines share: the contract, stepping and its error estimate, checkpoints, meshes and schemes."""
