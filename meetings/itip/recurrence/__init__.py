"""Recurrence (RFC 5545 §3.3.10 and §3.8.5), cut down to what Outlook can represent (interop R4).

All times are wall-clock times in the event's zone. What callers write is read in ``api/reading``;
how UNTIL leaves (interop R6) is decided in ``ical/writer``.
"""
