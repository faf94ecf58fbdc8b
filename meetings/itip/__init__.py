"""iCalendar and iTIP (RFC 5545, RFC 5546) as pure functions on frozen values.

Values go in and values come out. Nothing here knows Django, reads a clock, or does input or output.
"""
