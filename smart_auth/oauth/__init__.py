"""The protocol itself: authorization requests, clients, tokens, introspection, revocation; no framework, no database."""
