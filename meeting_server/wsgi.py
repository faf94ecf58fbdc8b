"""The WSGI application that gunicorn serves."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from meeting_server.connection import BODY, HEADERS, STATUS, Late

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
_django = get_wsgi_application()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django's application, which by itself takes a chunked body, one without length, for empty."""
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        # The most that is read of any body. The input ends where the body does. To read it here
        # would be to read it before the caller is known.
        environ["CONTENT_LENGTH"] = str(settings.MEETINGS_MAX_BODY + 1)
    try:
        return _django(environ, start_response)
    except Late:
        start_response(STATUS, [*HEADERS])
        return [BODY]
