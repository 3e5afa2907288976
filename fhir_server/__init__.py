"""The host: command line, wiring, HTTP edge, interactions, repository, search, store, audit, worker."""
