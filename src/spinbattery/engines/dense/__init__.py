"""State vectors, density matrices and products of single spins, in full."""
