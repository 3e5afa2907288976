"""Load and benchmark programs: every bar is a figure that a command prints."""
