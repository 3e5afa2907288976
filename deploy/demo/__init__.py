"""A small clinic with a laboratory, a pharmacy and an app, on this machine: ``make demo``."""
