"""iCalendar as bytes (RFC 5545 §3.1)."""
