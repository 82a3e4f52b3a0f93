"""Code that engines share: the contract, the host loop and its error estimate, checkpoints, meshes and schemes."""
