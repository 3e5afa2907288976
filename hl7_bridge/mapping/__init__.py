"""Messages to resources and back: tables and plain functions, following the official map where there is one."""
