"""The symmetric sector of a network: its basis, exponentials, engine and spectrum."""
