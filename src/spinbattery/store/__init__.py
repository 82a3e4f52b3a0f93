"""Finished runs on disk: one file each, an index of them, and all of them as one Dataset or table."""
