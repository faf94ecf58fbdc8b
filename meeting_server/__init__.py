"""The project: settings, where requests go, and what starts."""

import os

# Celery must be configured with Django, so that tasks find their broker. Without a broker nothing of
# it is imported: that takes a quarter of a second.
if os.environ.get("CELERY_BROKER_URL"):
    from meeting_server.celery import app as app
