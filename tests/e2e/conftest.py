"""The real thing: gunicorn on the embedded PostgreSQL, as ``make run`` starts it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.callers import Response, post
from tests.support.servers.processes import PROJECT
from tests.support.servers.site import Site, open_folder
from tests.support.servers.smtp_server import ScriptedSMTP

PAGE = PROJECT / "tests" / "e2e" / "page.txt"


@dataclass(frozen=True, slots=True)
class Server:
    """A running Meeting Server and the mail server it sends through."""

    port: int
    smtp: ScriptedSMTP
    site: Site

    def post(self, body: dict[str, Any] | Iterator[bytes], **headers: str) -> Response:
        return post(self.port, body, headers)


def page_examples() -> list[str]:
    """The two JSON examples of the page that old clients were written against, verbatim."""
    return re.findall(
        r'^\{"start".*?^(?:"operation": "cancel"|"repeat": \{.*?\}\n)\}',
        PAGE.read_text(),
        re.DOTALL | re.MULTILINE,
    )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """In a folder of its own, whose name has a space."""
    with (
        open_folder("a server") as var,
        ScriptedSMTP() as smtp,
        Site(var, smtp.url) as site,
    ):
        site.start("web")
        site.wait_for_web()
        yield Server(site.port, smtp, site)
        site.stop("web")
