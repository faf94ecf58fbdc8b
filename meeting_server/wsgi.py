"""The WSGI application that gunicorn serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
application = get_wsgi_application()

if settings.MEETINGS_WAKE:
    import_string(settings.MEETINGS_WAKE)  # now, and not at the cost of the first call that needs it
