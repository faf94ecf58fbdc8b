"""Who calls: a program with an API key, or on a developer's machine any program there."""

from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework_api_key.permissions import KeyParser

from meetings.models.call_count import (
    CountedCall,
    count_call_with_key,
    count_call_without_key,
)
from meetings.operations.steps.call import Actor
from meetings.rate import Rate

# A proxy on the same machine makes every caller look local. A call that came through one needs a
# key. These are the beginnings of the headers that proxies add.
_PROXY_HEADERS = ("HTTP_X_FORWARDED", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


@dataclass(frozen=True, slots=True)
class Caller:
    """The user that DRF knows: the actor of a request."""

    actor: Actor
    is_authenticated: bool = True


def actor_of(request: Request) -> Actor:
    """Return whom ApiKeyAuthentication admitted."""
    caller: object = request.user
    assert isinstance(caller, Caller)  # noqa: S101 (no other authentication is in use)
    return caller.actor


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Api-Key <key>``. One query finds the key and counts the call.

    DRF asks before anything reads the body.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """Return the caller; None where the request brings no key and needs one.

        Raises AuthenticationFailed, and Throttled for more calls than MEETINGS_RATE.
        """
        given = KeyParser().get(request._request)
        if given is None and not _needs_no_key(request):
            return None
        rate = Rate.read(settings.MEETINGS_RATE)
        call = _counted(given, rate.seconds)
        if call is None:
            raise AuthenticationFailed
        if call.count > rate.calls:
            raise Throttled(wait=call.seconds_left)
        if call.api_key is None:
            return Caller(Actor.local(call.client)), None
        return Caller(Actor.of_key(call.api_key)), None

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme, so that DRF responds 401 and not 403."""
        return KeyParser.keyword


def _counted(given: str | None, window: int) -> CountedCall | None:
    if given is None:
        return count_call_without_key(window=window)
    if not (given.isascii() and given.isprintable()):  # PostgreSQL takes no NUL
        return None
    return count_call_with_key(given, window=window)


def _needs_no_key(request: Request) -> bool:
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
