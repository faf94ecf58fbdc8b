"""Who calls: the holder of an API key, or, on a developer's machine only, anybody on that machine."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView
from rest_framework_api_key.permissions import KeyParser

from meetings.models import ApiKey, Meeting
from meetings.models.meeting import MeetingQuerySet

# A proxy on the same machine would make every caller look local: whoever came through one needs a
# key.
_PROXY_HEADERS = (
    "HTTP_X_FORWARDED",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)  # as they begin


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request; ``key`` is None for a developer's own machine."""

    key: ApiKey | None
    is_authenticated: bool = True

    @property
    def name(self) -> str:
        """For the record of who asked."""
        return f"key {self.key.name}" if self.key else "this machine"

    @property
    def meetings(self) -> MeetingQuerySet:
        """The meetings that the caller may know of."""
        return Meeting.objects.of(self.key)

    def may_speak_for(self, address: str) -> bool:
        """Whether the caller may send as ``address``."""
        return self.key is None or self.key.may_speak_for(address)


def caller_of(request: Request) -> Caller:
    """Whoever ApiKeyAuthentication let in."""
    caller: Any = request.user
    assert isinstance(caller, Caller)  # noqa: S101 - no other authentication is in use
    return caller


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Api-Key <key>``."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """The caller, or None when the request brings no key. Raises AuthenticationFailed for a
        wrong one.
        """
        given = KeyParser().get(request._request)
        if given is None:
            return (Caller(None), None) if _is_let_in(request) else None
        return Caller(_valid_key(given)), None

    def authenticate_header(self, request: Request) -> str:
        """The scheme, so that DRF answers 401 and not 403."""
        return KeyParser.keyword


def _valid_key(given: str) -> ApiKey:
    try:
        key = ApiKey.objects.get_from_key(given if given.isascii() and given.isprintable() else "")
    except ApiKey.DoesNotExist as error:
        raise AuthenticationFailed from error
    if key.has_expired:
        raise AuthenticationFailed
    assert isinstance(key, ApiKey)  # noqa: S101 - the library's annotation says its base class
    return key


def _is_let_in(request: Request) -> bool:
    return (
        settings.MEETINGS_LOOPBACK_WITHOUT_KEY
        and _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and not any(name.startswith(_PROXY_HEADERS) for name in request.META)
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a server on a Unix socket knows no address
        return False


class KeyThrottle(SimpleRateThrottle):
    """Calls a minute for each key (MEETINGS_RATE), counted in each server process."""

    scope = "key"

    def get_rate(self) -> str:
        """``600/min``."""
        return str(settings.MEETINGS_RATE)

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """One counter for each key."""
        key = caller_of(request).key
        return self.cache_format % {
            "scope": self.scope,
            "ident": key.prefix if key else "this-machine",
        }
