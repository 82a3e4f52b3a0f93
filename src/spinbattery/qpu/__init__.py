"""Jobs on a real quantum annealer: planned against limits and a budget, submitted once, and never lost."""
