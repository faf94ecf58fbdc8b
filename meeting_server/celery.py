"""The Celery application of the workers: ``celery -A meeting_server worker``.

Its settings are Django's settings that begin with CELERY_.
"""

import os

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")

app = Celery("meeting_server")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for every thread, not only for this one


def give_lease_back(**_: object) -> None:
    """Give the lease back when a worker ends. Its tasks have ended before."""
    # It needs the models, which this module is imported before.
    from meeting_server import stopping  # noqa: PLC0415

    stopping.give_lease_back()


signals.worker_shutdown.connect(give_lease_back)
signals.worker_process_shutdown.connect(give_lease_back)  # of a pool of processes
