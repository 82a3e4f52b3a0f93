"""Many problems, many workers: plan a grid, run what is missing, and read it back."""
