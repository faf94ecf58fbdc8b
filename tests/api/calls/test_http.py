"""Every method, path and header gets a response in JSON."""

import json
from typing import Any
from unittest.mock import ANY

import pytest
from django.test import Client
from django.test.client import FakePayload

from tests.api.conftest import Refused
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db
NOT_FOUND = {"error": "Not found"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_any_method_but_post_is_not_allowed(client_with_key: Client, method: str) -> None:
    response = client_with_key.generic(method, "/meeting_server/")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert method == "HEAD" or body_of(response) == {"error": ANY}


@pytest.mark.parametrize(
    "path", ["x", "x/", "/", "a/b?format=html", "%0A", "%00", "..%2f..%2fetc", "é", "admin/"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_any_other_path_is_not_found(method: str, path: str) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, f"/meeting_server/{path}")
    assert (response.status_code, body_of(response)) == (404, NOT_FOUND)


def test_path_without_slash_is_the_same(
    client_with_key: Client, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    response = client_with_key.post("/meeting_server", meeting, content_type="application/json")
    assert (response.status_code, body_of(response)["result"]) == (200, 1)


@pytest.mark.parametrize("path", ["/meeting_server/", "/meeting_server", "/meeting_server/x"])
def test_wrong_host_is_bad_request(path: str) -> None:
    client = Client(headers={"Host": "evil.example"})
    response = client.post(path, {}, content_type="application/json")
    assert (response.status_code, body_of(response)) == (400, {"error": "Bad request"})


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "nonsense", "application/json; indent=x", ""]
)
@pytest.mark.parametrize("query", ["", "?format=xml", "?format=api"])
def test_response_is_json_whatever_client_accepts(
    client_with_key: Client, accept: str, query: str
) -> None:
    response = client_with_key.post(
        f"/meeting_server/{query}", {}, content_type="application/json", headers={"Accept": accept}
    )
    assert (response.status_code, body_of(response)) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "x",
    ],
)
def test_content_type_other_than_json_is_not_found(
    client_with_key: Client, meeting: dict[str, Any], refused: Refused, content_type: str
) -> None:
    # A page in a browser can send these without asking. On a developer's machine, where no key is
    # needed, such a page could send meetings.
    response = client_with_key.generic(
        "POST", "/meeting_server/", json.dumps(meeting), content_type=content_type
    )
    assert (response.status_code, refused(response)) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF8"],
)
def test_json_content_type_is_read_in_every_form(
    client_with_key: Client, meeting: dict[str, Any], mail_server: ScriptedSMTP, content_type: str
) -> None:
    response = client_with_key.generic(
        "POST", "/meeting_server/", json.dumps(meeting), content_type=content_type
    )
    assert response.status_code == 200


@pytest.mark.parametrize("length", ["", "0", "-1", "x", "10"])
def test_wrong_content_length_gets_json_response(
    client_with_key: Client, meeting: dict[str, Any], refused: Refused, length: str
) -> None:
    body: Any = {"wsgi.input": FakePayload(json.dumps(meeting).encode()), "CONTENT_LENGTH": length}
    response = client_with_key.post("/meeting_server/", content_type="application/json", **body)
    assert (response.status_code, refused(response)) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "language", ["*", "zh-CN,zh;q=0.9", "xx", "a" * 5000, "en" + "-x" * 300, ";q=,", "zh-\xff"]
)
def test_any_accept_language_is_allowed(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP, language: str
) -> None:
    assert call(meeting, **{"Accept-Language": language}).status_code == 200
