"""The protocol itself: authorization requests, clients, tokens, introspection, revocation; sans-IO."""
