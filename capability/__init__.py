"""What we state: rows that declare interactions, operations and settings, and what is computed from them."""
