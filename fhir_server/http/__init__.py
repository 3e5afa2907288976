"""The HTTP edge: requests and responses, negotiation, headers, errors, logs; no clinical logic."""
