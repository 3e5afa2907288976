"""Changes of the record to messages, and the queues that deliver them."""
