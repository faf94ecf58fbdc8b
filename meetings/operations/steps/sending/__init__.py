"""Sending what is stored: threads that send, what they begin, and what they record."""
