"""Mean field and the truncated Wigner approximation."""
