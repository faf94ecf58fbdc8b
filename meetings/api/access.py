"""Who calls: a program with an API key, or on a developer's machine any program there."""

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

from meetings.models import ApiKey, Client
from meetings.operations.steps.call import Actor

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
    """``Authorization: Api-Key <key>``."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """Return the caller; None where the request brings no key. Raises AuthenticationFailed."""
        given = KeyParser().get(request._request)
        if given is not None:
            return Caller(Actor.of_key(_valid_key(given))), None
        if _needs_no_key(request):
            return Caller(Actor.local(Client.objects.local())), None
        return None

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme, so that DRF responds 401 and not 403."""
        return KeyParser.keyword


def _valid_key(given: str) -> ApiKey:
    try:
        key = ApiKey.objects.get_from_key(given if given.isascii() and given.isprintable() else "")
    except ApiKey.DoesNotExist as error:
        raise AuthenticationFailed from error
    if key.has_expired:
        raise AuthenticationFailed
    assert isinstance(key, ApiKey)  # noqa: S101 (the library's annotation says its base class)
    return key


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


class KeyThrottle(SimpleRateThrottle):
    """Calls a minute for each key (MEETINGS_RATE), counted in each server process."""

    scope = "key"

    def get_rate(self) -> str:
        """``600/min``."""
        return str(settings.MEETINGS_RATE)

    def get_cache_key(self, request: Request, view: APIView) -> Any:
        """One counter for each key."""
        key = actor_of(request).api_key
        ident = key.prefix if key else "this-machine"
        return self.cache_format % {"scope": self.scope, "ident": ident}
