"""JSON → values: what a caller's body says, checked and typed.

Nothing behind this room sees a dictionary.
"""
