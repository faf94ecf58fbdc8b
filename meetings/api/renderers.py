"""JSON out, whatever text is in it."""

import json
from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class AlwaysJSON(DefaultContentNegotiation):
    """There is nothing to choose: no ``Accept`` and no ``?format=`` keeps a client from its answer."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The only renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class SafeJSONRenderer(JSONRenderer):
    """JSON in UTF-8; text that UTF-8 cannot hold (a lone surrogate that a client sent) comes out
    escaped.
    """

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        """The bytes of ``data``."""
        try:
            return bytes(super().render(data, *args, **kwargs))
        except UnicodeEncodeError:
            return json.dumps(data).encode()
