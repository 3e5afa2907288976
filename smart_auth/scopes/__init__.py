"""SMART scopes: their algebra, what they grant, and how they are told to a person."""
