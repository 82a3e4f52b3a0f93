"""Requests to any annealer: properties and limits of a solver, the parsed request, and the timing of a job."""
