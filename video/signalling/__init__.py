"""The visit over HTTP and WebSocket: tickets, sessions, media sessions, events of the room."""
