"""The annealer: a local emulator with the interface of a quantum annealer, and what a solver accepts."""
