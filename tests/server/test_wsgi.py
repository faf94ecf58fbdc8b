"""The WSGI application: a body in chunks, which has no length, as gunicorn hands it on."""

import json
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from pytest_django import Settings

from meeting_server.connection import Late
from tests.support.servers.smtp_server import ScriptedSMTP

JSON = "application/json"
pytestmark = pytest.mark.django_db(transaction=True)


Post = Callable[..., tuple[str, int]]


@pytest.fixture
def post_chunks() -> Post:
    """POST a body in chunks. Return the response's status and how many bytes were read."""
    # The import looks for static files, in the folder that each test has.
    application = import_module("meeting_server.wsgi").application

    def post(path: str, body: bytes | BytesIO, *, content_type: str = JSON, **headers: str) -> Any:
        environ = RequestFactory(headers=headers).post(path, content_type=content_type).environ
        stream = body if isinstance(body, BytesIO) else BytesIO(body)
        environ |= {"wsgi.input": stream, "wsgi.input_terminated": True}
        environ.pop("CONTENT_LENGTH", None)
        statuses: list[str] = []
        response = application(environ, lambda status, *_: statuses.append(status))
        if hasattr(response, "close"):
            response.close()
        return statuses[0], stream.tell()

    return post


def test_body_in_chunks_is_read(
    post_chunks: Post, secret: str, meeting: dict[str, object], mail_server: ScriptedSMTP
) -> None:
    body = json.dumps(meeting).encode()
    key = f"Api-Key {secret}"
    assert post_chunks("/meeting_server/", body, Authorization=key) == ("200 OK", len(body))


def test_body_in_chunks_of_unknown_caller_is_not_read(post_chunks: Post) -> None:
    assert post_chunks("/meeting_server/", b"{}") == ("401 Unauthorized", 0)


def test_body_in_chunks_is_read_to_the_limit_only(
    post_chunks: Post, secret: str, settings: Settings
) -> None:
    settings.MEETINGS_MAX_BODY = 100
    key = f"Api-Key {secret}"
    status, read = post_chunks("/meeting_server/", b"x" * 1000, Authorization=key)
    assert (status, read) == ("413 Request Entity Too Large", 101)


def test_form_in_chunks_is_read(post_chunks: Post) -> None:
    User.objects.create_superuser("ada", password="correct")
    token = "t" * 32
    form = {"username": "ada", "password": "correct", "csrfmiddlewaretoken": token}
    status, _ = post_chunks(
        "/admin/login/?next=/admin/",
        urlencode(form).encode(),
        content_type=FORM,
        Cookie=f"csrftoken={token}",
    )
    assert status == "302 Found"


class LateBody(BytesIO):
    """Of which nothing comes in time."""

    def read(self, size: int | None = -1) -> bytes:
        raise Late


FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/meeting_server/", JSON), ("/admin/login/", FORM), ("/admin/login/", FILES)],
    ids=["call", "form", "form with files"],
)
def test_body_that_does_not_arrive_gets_408(
    post_chunks: Post,
    secret: str,
    path: str,
    content_type: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Without these a body is refused before it is read.
    headers = {"Authorization": f"Api-Key {secret}", "Cookie": f"csrftoken={'t' * 32}"}
    status, _ = post_chunks(path, LateBody(), content_type=content_type, **headers)
    assert status == "408 Request Timeout"
    assert caplog.messages == []


def test_late_body_of_unknown_caller_is_not_waited_for(post_chunks: Post) -> None:
    assert post_chunks("/meeting_server/", LateBody())[0] == "401 Unauthorized"
