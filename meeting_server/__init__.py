"""The Django project: settings, paths, and the processes that run."""

import os

# Celery must be configured when Django is, so that tasks find their broker. Without a broker it is
# not imported, because that takes a quarter of a second.
if os.environ.get("CELERY_BROKER_URL"):
    from meeting_server.celery import app as app
