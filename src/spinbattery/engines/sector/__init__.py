"""The sector of states that every symmetry of a problem leaves as they are, and propagation in it."""
