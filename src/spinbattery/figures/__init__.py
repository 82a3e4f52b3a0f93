"""Matplotlib figures of records, fits and protocols; each function returns a Figure."""
