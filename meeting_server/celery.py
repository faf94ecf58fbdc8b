"""The Celery application of the workers: ``celery -A meeting_server worker``.

Its settings are Django's settings that begin with CELERY_.
"""

import os
import sys
import threading

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")

app = Celery("meeting_server")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for every thread, not only for this one


# Both need the models, which this module is imported before.
def refuse_wrong_settings(**_: object) -> None:
    """Do not start a worker with settings that cannot work."""
    from meeting_server.starting import wrong_settings  # noqa: PLC0415

    if sentences := wrong_settings():
        sys.exit(sentences)


def begin_no_mail(**_: object) -> None:
    """Begin no transaction any more, when a worker is told to end. What has begun has its time."""
    from meetings.operations.steps.sending.ending import end_sending  # noqa: PLC0415

    threading.Thread(target=end_sending, name="end of sending", daemon=True).start()


def end_sending(**_: object) -> None:
    """Give the lease back when a worker ends. Its tasks have ended before."""
    from meetings.operations.steps.sending import ending  # noqa: PLC0415

    ending.end_sending()


signals.worker_init.connect(refuse_wrong_settings)
signals.worker_shutting_down.connect(begin_no_mail)
signals.worker_shutdown.connect(end_sending)
signals.worker_process_shutdown.connect(end_sending)  # of a pool of processes
