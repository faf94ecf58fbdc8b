"""The Celery application of the workers: ``celery -A meeting_server worker``.

Its settings are Django's settings that begin with CELERY_.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")

app = Celery("meeting_server")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for every thread, not only for this one
