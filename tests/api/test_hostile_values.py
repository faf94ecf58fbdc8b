"""Any JSON value in any field gets a response of the contract, and a refusal stores nothing."""

import json
from itertools import product
from typing import Any

import pytest

from meetings.models import Meeting
from tests.api.responses import body_of, is_refusal
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db

FIELDS = (
    "operation", "uid", "start", "end", "timezone", "sender", "receiver", "receiver.required",
    "receiver.resource", "required", "optional", "subj", "description", "location", "repeat",
    "repeat.FREQ", "repeat.INTERVAL", "repeat.COUNT", "repeat.UNTIL", "repeat.BYDAY",
    "repeat.BYMONTHDAY", "repeat.BYMONTH", "repeat.BYSETPOS", "repeat.WKST", "repeat.EXDATE",
    "reminder", "occurrence", "scope", "nobody-knows-it",
)  # fmt: skip

TOP_LEVEL = tuple(field for field in FIELDS[1:-1] if "." not in field)
READ_BY_CANCEL = ("operation", "uid", "sender", "description", "occurrence", "scope")

# A line may have none of these, nor a lone surrogate.
CONTROL_CHARACTERS = (
    "\r", "\n", "\r\nX: y", "\u2028", "\u2029", "\u0085", "\0", "\x1b", "\x7f", "\t", "\ud800",
)  # fmt: skip

# JSON text, because Python would not write some of these values.
VALUES = (
    "null", "true", "false", "0", "-1", "1.5", "-0.0", "1e999", "-1e999", "1e-999", "1" + "0" * 400,
    "-" + "9" * 5000, '""', '" "', '"0"', '"x"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"',
    '"\\udfff\\ud800"', '"\\ufffe\\uffff"', '"\\r\\nBcc: x@evil.example"', '"\\u2028"', '"\\u0085"',
    '"\\ufeff"', '"\\u202e"', '"%s%(x)s{0}{x}"', '"9999-12-31 23:59"', '"0001-01-01 00:00"',
    '"2032-03-01T10:00:00+23:59"', '"2099-12-31 23:59:59"', '"2100-01-01"', '"1969-12-31"',
    '"24:00"', '"2032-03-01 24:00"', '"2027-W09-1"', '"../../etc/passwd"', '"Factory"', '"@"',
    '"a@b"', '"x@a\\uff20b.example"', '"x@b\\uff0cy.example"', '"\\u212aate@example.com"', '"<>"',
    '"a <b@c.de> d@e.fr"', '"\\"@\\"@example.com"', '"x@[127.0.0.1]"', '"x@[IPv6:::1]"',
    '"' + "x" * 5000 + '"', '"' + "会" * 70000 + '"', '"' + "a" * 300 + '@example.com"',
    '"' + "会" * 60 + "@" + (("会" * 20 + ".") * 12) + 'example"',
    '"x@' + (("会" * 20 + ".") * 14) + 'example"', '"' + "(" * 1000 + '"', '"' + "a " * 490 + '<"',
    "[]", "[[]]", "[null]", '[""]', "[{}]", "[1, [2]]", '["x@y.example"]', '[["x@y.example"]]',
    '["\\ud800"]', "{}", '{"a": []}', '{"": null}', '{"\\ud800": 1}', '{"required": null}',
    '{"required": {}}', '{"required": [[]]}', '{"FREQ": "DAILY"}',
    '{"required": ["a@b.example", 7]}', "[" * 9 + "]" * 9, '{"a":' * 9 + "1" + "}" * 9,
)  # fmt: skip


def with_value(body: dict[str, Any], field: str, value: str) -> bytes:
    """``body`` as JSON, with the JSON text ``value`` in ``field``."""
    outer, _, inner = field.partition(".")
    base: dict[str, Any] = {
        "repeat": {"FREQ": "WEEKLY", "COUNT": 2},
        "receiver": {"required": ["bob@example.org"]},
    }
    given = body | {outer: base[outer] | {inner: "VALUE"} if inner else "VALUE"}
    return json.dumps(given).replace('"VALUE"', value).encode()


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        *product(["send"], FIELDS),
        *product(["update"], TOP_LEVEL),
        *product(["cancel"], READ_BY_CANCEL),
    ],
)
def test_any_value_gets_response_of_the_contract(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP, operation: str, field: str
) -> None:
    if operation != "send":
        call(meeting | {"uid": "m"})
    for value in VALUES:
        body = meeting if operation == "send" else {"operation": operation, "uid": "m"}
        stored, mails = _stored(), len(mail_server.received)
        response = call(raw=with_value(body, field, value))
        shown = body_of(response)
        assert response.status_code < 500, (value[:80], shown)
        if response.status_code == 200:
            assert shown["result"] == 1, (value[:80], shown)
            assert {"result", "uid", "sequence", "recipients"} <= shown.keys()
        else:
            assert is_refusal(shown), (value[:80], shown)
            assert (_stored(), len(mail_server.received)) == (stored, mails), value[:80]


def _stored() -> list[Any]:
    return list(Meeting.objects.order_by("pk").values())


@pytest.mark.parametrize("operation", ["send", "update"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in ("uid", "start", "end", "timezone", "sender", "subj", "location", "required")
        for value in CONTROL_CHARACTERS
    ],
)
def test_control_characters_in_one_line_are_refused(
    call: Call, meeting: dict[str, Any], operation: str, field: str, value: str
) -> None:
    good = {"uid": "m", "required": "Bob <bob@example.org>", "timezone": "Asia/Shanghai"} | meeting
    text = good[field][:3] + value + good[field][3:]
    body = meeting if operation == "send" else {"operation": operation, "uid": "m"}
    response = call(body | {field: [text] if field == "required" else text})
    assert (response.status_code, list(body_of(response)["fields"])) == (400, [field])


@pytest.mark.parametrize("field", ["subj", "location"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_control_characters_at_end_are_refused_too(
    call: Call, meeting: dict[str, Any], field: str, end: str
) -> None:
    assert call(meeting | {field: f"text{end}"}).status_code == 400


@pytest.mark.parametrize("rest", ["", " 10:00", "T10:00Z", "T10:00+14:00", "T10:00-12:00"])
@pytest.mark.parametrize("year", ["0000", "0001", "1969", "2100", "9999"])
def test_year_before_1970_or_after_2099_is_refused(
    call: Call, meeting: dict[str, Any], year: str, rest: str
) -> None:
    response = call(meeting | {"start": f"{year}-06-01{rest}", "end": f"{year}-06-02{rest}"})
    assert (response.status_code, set(body_of(response)["fields"])) == (400, {"start", "end"})
