"""``POST /meeting_server/``: send, update, cancel."""
