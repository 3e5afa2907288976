"""The consult: a WebRTC visit that belongs to its Encounter, in a process of its own."""
