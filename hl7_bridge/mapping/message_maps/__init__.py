"""Messages to resources: one file per family, each with ``MAPS`` from ``type^event`` to the function that maps it."""
