"""E-mail backends that are not ours: what they are given, and what they report."""
