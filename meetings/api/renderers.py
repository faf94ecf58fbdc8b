"""JSON out, whatever text is in it."""

import json
from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class AlwaysJSON(DefaultContentNegotiation):
    """One renderer for every ``Accept`` and ``?format=``: each client gets its response."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class SafeJSONRenderer(JSONRenderer):
    """JSON in UTF-8. A lone surrogate that a client sent cannot be UTF-8, and leaves escaped."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        try:
            return bytes(super().render(data, *args, **kwargs))
        except UnicodeEncodeError:
            return json.dumps(data).encode()
