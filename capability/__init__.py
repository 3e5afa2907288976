"""What we state: rows that declare interactions, operations, search parameters and settings, and what is computed from them."""
