"""Segments to resources: one file per resource, each a table of rows and the plain functions that the rows name."""
