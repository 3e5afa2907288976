"""Which segments a message is made of, by version: the group walker and the opt-in conformance check."""
