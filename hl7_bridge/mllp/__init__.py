"""MLLP: framing without sockets, and the shells that listen and send."""
