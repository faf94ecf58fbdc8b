"""The Celery application of the workers: ``celery -A meeting_server worker``.

Its settings are Django's settings that begin with CELERY_.
"""

import os
import sys

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


def give_lease_back(**_: object) -> None:
    """Give the lease back when a worker ends. Its tasks have ended before."""
    from meetings.operations.steps import sender  # noqa: PLC0415

    sender.give_lease_back()


signals.worker_init.connect(refuse_wrong_settings)
signals.worker_shutdown.connect(give_lease_back)
signals.worker_process_shutdown.connect(give_lease_back)  # of a pool of processes
