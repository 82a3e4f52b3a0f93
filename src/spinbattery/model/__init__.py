"""The physics of a charge: spins and pairs, protocols, energy scales, noise, and the problem they make."""
