"""The HTTP interface: JSON in, one operation, JSON out."""
