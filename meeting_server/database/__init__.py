"""A Django database engine that starts its own PostgreSQL below ``VAR_DIR``.

It is for machines where PostgreSQL is not installed.

``base``    Django loads it. A new connection finds the server running or starts it
``server``  the side of a process that uses the server
``keeper``  the process that starts PostgreSQL, waits for its last user to end, and stops it
``place``   where its files are
``errors``  what ``manage.py migrate`` fixes

The processes agree by the kernel's locks (``flock``) and not by a list of process ids. The kernel
releases a lock however its holder ends, even after ``kill -9``, and a forked worker inherits it.

- ``VAR_DIR/postgres.users``: every process that uses the server holds it shared until it ends.
  The keeper waits to lock it exclusively. When it gets the lock, the last user has ended. A process
  that connects after that waits until PostgreSQL has stopped, and starts it again.
- ``VAR_DIR/postgres.keeper``: its holder may start PostgreSQL. A process that finds PostgreSQL not
  running takes it and hands it to the keeper.
- Linux ends PostgreSQL when its keeper is killed, so that no process is left behind.
"""
