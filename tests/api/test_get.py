"""A browser finds the admin at "/", and reads at the endpoint that it takes POST."""

import pytest
from django.test import Client

ENDPOINTS = ["/meeting_server/", "/meeting_server"]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_get_of_endpoint_names_post(client_with_key: Client, path: str, language: str) -> None:
    response = client_with_key.get(path, headers={"Accept-Language": language})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response.json() == {
        "error": 'Method "GET" not allowed.'
        " POST a JSON object to this address: docs/api.md describes it."
    }


@pytest.mark.parametrize("path", ENDPOINTS)
def test_head_of_endpoint_has_the_headers_of_get(client_with_key: Client, path: str) -> None:
    response = client_with_key.head(path)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_root_leads_to_the_admin(method: str) -> None:
    response = Client().generic(method, "/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_root_takes_no_post() -> None:
    response = Client().post("/", {"operation": "send"}, content_type="application/json")
    assert response.status_code == 405
