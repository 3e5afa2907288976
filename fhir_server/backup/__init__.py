"""Backups that are taken while everything serves, restored into an empty place, and rehearsed."""
