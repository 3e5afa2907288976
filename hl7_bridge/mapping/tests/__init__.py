"""Tests of hl7_bridge.mapping."""
