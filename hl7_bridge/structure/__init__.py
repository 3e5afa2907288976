"""Message structures of HL7 v2.1 to v2.8.2, and messages read by them in groups."""

from hl7_bridge.structure.walker import Group, Tree, notes, walk

__all__ = ["Group", "Tree", "notes", "walk"]
