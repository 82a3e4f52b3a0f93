"""The symmetric sector of a network: its basis, Taylor series, engine and spectrum."""
