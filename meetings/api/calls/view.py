"""``POST /meeting_server/``: authenticate, read the parameters, call one operation, answer."""

from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from meetings.api.access import ApiKeyAuthentication, Caller, KeyThrottle, caller_of
from meetings.api.calls.call import Call
from meetings.api.calls.response import answer
from meetings.api.reading.body import BoundedJSONParser, NoParameters
from meetings.api.reading.parameters import read_parameters
from meetings.api.renderers import AlwaysJSON


class MeetingView(APIView):
    """Organize a meeting: send, update or cancel it."""

    http_method_names = ["post"]
    content_negotiation_class = AlwaysJSON
    authentication_classes = [ApiKeyAuthentication]
    throttle_classes = [KeyThrottle]
    parser_classes = [BoundedJSONParser]

    def post(self, request: Request) -> Response:
        """One operation on one meeting."""
        if not isinstance(request.data, dict) or not request.data:
            raise NoParameters
        values, warnings = read_parameters(request.data)
        caller = caller_of(request)
        call = Call(values, caller, _language(request), _in_background(request, caller), warnings)
        receipt = call.perform()
        return answer(receipt, warnings=warnings, with_occurrences=values["operation"] != "cancel")


def _language(request: Request) -> str | None:
    """The first language of Accept-Language that mails are written in, or None."""
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            return get_supported_language_variant(wanted)
        except LookupError:
            continue
    return None


def _in_background(request: Request, caller: Caller) -> bool:
    """Whether the caller prefers an answer before the mail has left (RFC 7240 §4.1), or its key
    always does.
    """
    preferences = request.headers.get("Prefer", "").lower().replace(";", ",").split(",")
    always = caller.key is not None and caller.key.respond_async
    return always or "respond-async" in (preference.strip() for preference in preferences)
