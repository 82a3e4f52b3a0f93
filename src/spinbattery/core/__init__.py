"""What every package needs and no physics: errors, checks of arguments, units, threads, files, progress."""
