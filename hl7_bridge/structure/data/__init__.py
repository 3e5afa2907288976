"""The compiled tables of ``hl7_bridge.structure.generate``, two files for each version."""
