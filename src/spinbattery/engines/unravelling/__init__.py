"""Pure states that jump at random: what the trajectories engine is made of."""
