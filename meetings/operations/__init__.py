"""What the server can do, one file per story; each is: take a turn, lock, let itip decide, store,
deliver.

The stories share three steps (``turn``, ``accept``, ``deliver``) and one answer (``receipt``); they
do not call each other.
"""
