"""How gunicorn serves: ``gunicorn meeting_server.wsgi`` in this directory finds it. Its command
line overrides it.
"""

import os
from typing import Any

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 16  # a call waits for the mail server most of its time
worker_class = "gthread"
graceful_timeout = 30  # seconds to finish what is being answered: longer than MEETINGS_TIME_BUDGET
# The control socket's default path is one for all servers of an account, and nobody here talks to
# it.
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Have the embedded database running before the first request, not with it."""
    from django.conf import settings  # noqa: PLC0415 (in the worker: a reload with new code reads new settings)
    from django.db import connection  # noqa: PLC0415

    if not settings.DATABASE_URL:
        connection.ensure_connection()
        connection.close()
        worker.log.info("The embedded database is up.")
