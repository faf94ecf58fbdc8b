"""What the server can do, one story a file: look, decide (in ``itip``), store, deliver.

No story imports another. What they share is in ``steps``.
"""
