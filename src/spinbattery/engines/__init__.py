"""Engines: each turns a charging problem into a record."""
