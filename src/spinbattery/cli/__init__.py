"""Command line: thin, and quick to start; everything heavy is imported when a command runs."""
