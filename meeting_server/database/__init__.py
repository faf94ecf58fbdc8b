"""A Django database engine: PostgreSQL of our own below ``VAR_DIR``, for machines where nobody wants to run one.

``base``    what Django loads: its PostgreSQL engine, which sees to it that the server runs when it connects
``server``  a using process's side: say that it uses the server, and have it started
``keeper``  the process that starts PostgreSQL, waits for its last user to end, and stops it
``place``   where its files are

How they agree: by the kernel's locks (``flock``), not by a list of process ids, because the kernel lets go of a lock
however its holder ends, ``kill -9`` included, and because a forked worker inherits it.

- ``VAR_DIR/postgres.users``: every using process holds it shared until it ends. The keeper waits for it exclusively:
  when it gets it, nobody is left; whoever comes now waits until PostgreSQL has stopped, and starts it again.
- ``VAR_DIR/postgres.keeper``: who may start PostgreSQL. Taken by the process that finds it not running, and handed to
  the keeper.
- PostgreSQL itself ends with its keeper (Linux tells it of its parent's death), so that nothing is left behind.
"""
