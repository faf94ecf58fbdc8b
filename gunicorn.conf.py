"""How gunicorn serves. ``gunicorn meeting_server.wsgi``, run in this directory, reads it.

Options on gunicorn's command line take precedence.
"""

import os
import signal
import sys
from types import FrameType

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

bind = f"127.0.0.1:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
threads = 16  # a call spends most of its time waiting for the mail server
worker_class = "meeting_server.web_worker.WebWorker"  # gthread that no slow client stops
# Seconds to finish open requests and, with the first of them, the mails that are being transmitted.
graceful_timeout = int(float(os.environ.get("MEETINGS_STOP_TIMEOUT") or "25")) + 5
# Nothing here uses the control socket, and its default path is shared by all servers of an account.
control_socket_disable = True


def post_worker_init(worker: Worker) -> None:
    """Start the embedded database before the first request. Refuse to serve without its tables.

    Refuse settings that cannot work, too. An external database is not checked. It may be migrated,
    or come back, while this serves.
    """
    # Imported in the worker, so that a reload reads new code and new settings.
    from django.conf import settings  # noqa: PLC0415
    from django.db import DatabaseError, connection  # noqa: PLC0415

    from meeting_server.database.errors import advice, refuse_unmigrated  # noqa: PLC0415
    from meeting_server.starting import wrong_settings  # noqa: PLC0415

    if sentences := wrong_settings():
        worker.log.critical(sentences)
        sys.exit(Arbiter.WORKER_BOOT_ERROR)
    begin_no_mail_after_sigterm()
    if settings.DATABASE_URL:
        return
    try:
        refuse_unmigrated()
    except DatabaseError as error:
        if not (sentence := advice(error)):
            raise
        worker.log.critical(sentence)
        sys.exit(Arbiter.WORKER_BOOT_ERROR)  # gunicorn ends; on another code it would try again
    connection.close()
    worker.log.info("The embedded database is up.")


def worker_int(worker: Worker) -> None:
    """Cut the mails that are being transmitted: after SIGQUIT and SIGINT the end is quick."""
    from meetings.operations.steps.sending.threads import sender_threads  # noqa: PLC0415

    sender_threads.stop(at_once=True)


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Let mails that are being transmitted end, and give the lease back.

    Open requests have ended by now, or graceful_timeout was not enough for them.
    """
    if not worker.booted:  # it may not even have read the settings
        return
    from meetings.operations.steps.sending.ending import end_sending  # noqa: PLC0415

    end_sending()


def begin_no_mail_after_sigterm() -> None:
    """Have the worker begin no transaction any more, from the moment when it is told to end."""
    from meetings.operations.steps.sending.threads import sender_threads  # noqa: PLC0415

    ends_in_order = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        sender_threads.stop()
        if callable(ends_in_order):
            ends_in_order(number, frame)

    signal.signal(signal.SIGTERM, end)
