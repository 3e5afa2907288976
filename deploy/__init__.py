"""What runs beside the server: the private PostgreSQL of development and tests."""
