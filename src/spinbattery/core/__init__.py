"""Basis of all packages, without physics: errors, checks of arguments, units, threads, files, progress."""
