"""The room of a visit as a pure state machine: events and the clock go in, a new room and effects come out."""
