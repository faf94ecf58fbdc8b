"""Every response is a JSON object in the form of the contract."""

import json
from typing import Any


def body_of(response: Any) -> dict[str, Any]:
    """The JSON object of the response. Fails for HTML and for a traceback."""
    text = response.content.decode()
    assert response["Content-Type"] == "application/json", (response.status_code, text[:300])
    assert "Traceback" not in text
    assert "<!doctype" not in text.lower()
    body = json.loads(text)
    assert isinstance(body, dict)
    return body


CONTRACT = ("result", "uid", "sequence", "error", "fields", "recipients", "warnings")


def contract_keys(response: Any) -> dict[str, Any]:
    """The body without the further keys that the contract allows."""
    return {name: value for name, value in body_of(response).items() if name in CONTRACT}


def is_refusal(body: dict[str, Any]) -> bool:
    """Whether the body is ``error`` and, optionally, ``fields`` with the sentences of each."""
    fields = body.get("fields", {})
    return (
        body.keys() <= {"error", "fields"}
        and isinstance(body["error"], str)
        and isinstance(fields, dict)
        and all(
            isinstance(name, str) and _are_sentences(messages) for name, messages in fields.items()
        )
    )


def _are_sentences(messages: object) -> bool:
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(isinstance(text, str) and text for text in messages)
    )
