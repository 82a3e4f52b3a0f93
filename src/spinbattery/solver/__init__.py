"""What any annealer accepts: properties and limits of a solver, the request that it is sent, and its timing."""
