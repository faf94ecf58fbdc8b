"""Time zones: their names, their offsets, and the VTIMEZONE that describes one to a calendar."""
