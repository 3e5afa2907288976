COMMON: frozenset[str] = frozenset()
