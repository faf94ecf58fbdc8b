"""What a browser sees: "/" leads to the admin, and the endpoint says that it takes POST."""

from typing import Any

import pytest
from django.test import Client

ENDPOINTS = ["/meeting_server/", "/meeting_server"]


def get(path: str, secret: str, method: str = "GET", language: str = "en") -> Any:
    headers = {"Authorization": f"Api-Key {secret}", "Accept-Language": language}
    return Client(headers=headers).generic(method, path)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_get_of_the_endpoint_names_post(secret: str, path: str, language: str) -> None:
    response = get(path, secret, language=language)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response.json() == {
        "error": 'Method "GET" not allowed.'
        " POST a JSON object to this address: docs/api.md describes it."
    }


@pytest.mark.parametrize("path", ENDPOINTS)
def test_head_of_the_endpoint_has_the_headers_of_get(secret: str, path: str) -> None:
    response = get(path, secret, "HEAD")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_root_leads_to_the_admin(method: str) -> None:
    response = Client().generic(method, "/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_root_takes_no_post() -> None:
    response = Client().post("/", {"operation": "send"}, content_type="application/json")
    assert response.status_code == 405
