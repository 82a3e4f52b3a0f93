"""What records and samples say: bounds, statistics, scaling fits, closed forms and energetics."""
