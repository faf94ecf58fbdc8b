"""``POST /meeting_server/``: authenticate, read, perform, respond."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from meetings.api.access import ApiKeyAuthentication, actor_of
from meetings.api.calls.perform import perform
from meetings.api.calls.response import response_to
from meetings.api.reading.body import BoundedJSONParser
from meetings.api.reading.command import read_call
from meetings.api.reading.errors import NoParameters
from meetings.api.renderers import AlwaysJSON
from meetings.deadline import Deadline
from meetings.operations.steps.call import Actor, Cancel


class MeetingView(APIView):
    """Organize a meeting: send, update or cancel it."""

    http_method_names = ["post"]
    content_negotiation_class = AlwaysJSON
    authentication_classes = [ApiKeyAuthentication]
    parser_classes = [BoundedJSONParser]

    def post(self, request: Request) -> Response:
        """One operation on one meeting."""
        if not isinstance(request.data, dict) or not request.data:
            raise NoParameters
        actor = actor_of(request)
        reading = read_call(request.data, language=_language(request))
        seconds = 0.0 if _in_background(request, actor) else settings.MEETINGS_TIME_BUDGET
        standing = perform(reading.command, actor, now=timezone.now(), deadline=Deadline(seconds))
        return response_to(
            standing,
            warnings=reading.warnings,
            with_occurrences=not isinstance(reading.command, Cancel),
        )


def _language(request: Request) -> str | None:
    """The first language of Accept-Language that mails are written in, or None."""
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            return get_supported_language_variant(wanted)
        except LookupError:
            continue
    return None


def _in_background(request: Request, actor: Actor) -> bool:
    """Whether the caller wants the response before the mail has left (RFC 7240 §4.1)."""
    if actor.api_key is not None and actor.api_key.respond_async:
        return True
    preferences = request.headers.get("Prefer", "").lower().replace(";", ",").split(",")
    return "respond-async" in (preference.strip() for preference in preferences)
