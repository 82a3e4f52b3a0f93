"""Bridges to other software: QuTiP, SciPy, dimod, and files of measurements."""
