"""A body that is no JSON, or too much of it, is refused in the form of the contract."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.api.conftest import Refused
from tests.api.responses import body_of, is_refusal
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024


def filled(before: str, item: str, after: str, separator: str = ",") -> bytes:
    """A body just under the limit, of as many ``item`` as fit."""
    count = (MEGABYTE - len((before + after).encode())) // len((item + separator).encode())
    return (before + separator.join([item] * count) + after).encode()


def distinct(before: str, items: Iterable[str], after: str) -> bytes:
    """A body of these items, cut to the limit."""
    parts, size = [], len(before) + len(after)
    for item in items:
        size += len(item) + 1
        if size > MEGABYTE:
            break
        parts.append(item)
    return (before + ",".join(parts) + after).encode()


SEND = (
    '{"operation":"send","start":"2032-03-01 10:00","end":"2032-03-01 11:00",'
    '"sender":"alice@example.com","subj":"x",'
)
HUGE = {
    "brackets": b"[" * 100_000,
    "brackets in a field": b'{"operation":' + b"[" * 100_000,
    "objects": b'{"a":' * 100_000,
    "closed brackets": b'{"operation":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "nested arrays": filled(SEND + '"required":[', "[[[[]]]]", "]}"),
    "numbers": filled(SEND + '"required":[', "1", "]}"),
    "one person again and again": filled(SEND + '"required":[', '"b@x.org"', "]}"),
    "different people": distinct(
        SEND + '"required":[', (f'"b{n}@x.org"' for n in range(200_000)), "]}"
    ),
    "long names": distinct(
        SEND + '"required":[', (f'"{"a " * 120}<b{n}@x.org>"' for n in range(10_000)), "]}"
    ),
    "unknown fields": distinct(SEND, (f'"x{n}":1' for n in range(200_000)), "}"),
    "unknown lists": distinct(SEND + '"receiver":{', (f'"x{n}":[]' for n in range(200_000)), "}}"),
    "parts of a rule": distinct(
        SEND + '"required":["b@x.org"],"repeat":{', (f'"x{n}":1' for n in range(200_000)), "}}"
    ),
    "days of a rule": filled(
        SEND + '"required":["b@x.org"],"repeat":{"FREQ":"WEEKLY","COUNT":2,"BYDAY":"', "MO", '"}}'
    ),
    "number": filled(SEND + '"required":["b@x.org"],"reminder":', "9", "}", separator=""),
    "fraction": filled(SEND + '"required":["b@x.org"],"reminder":0.', "8", "}", separator=""),
    "subject": filled(SEND[:-2], "x", '","required":["b@x.org"]}', separator=""),
    "spaces in an address": filled(SEND + '"required":["a', " ", 'b"]}', separator=""),
    "time": filled(
        SEND + '"required":["b@x.org"],"start":"2032-03-01 10:00:', "0", '"}', separator=""
    ),
    "time zone": filled(SEND + '"required":["b@x.org"],"timezone":"', "a/", '"}', separator=""),
    "description": filled(
        SEND + '"required":["b@x.org"],"description":"', "\\r", '"}', separator=""
    ),
    "uid": filled(SEND + '"required":["b@x.org"],"uid":"', "u", '"}', separator=""),
    "operation": filled('{"operation":"', "s", '"}', separator=""),
    "operation of nothing": filled('{"operation":[', "{}", "]}"),
    "white space": b" " * (MEGABYTE - 2) + b"{}",
}


@pytest.mark.parametrize("kind", HUGE)
def test_huge_or_deep_body_is_refused(call: Call, refused: Refused, kind: str) -> None:
    assert len(HUGE[kind]) <= MEGABYTE
    assert is_refusal(refused(call(raw=HUGE[kind])))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_json_never_exhausts_the_stack(
    call: Call, refused: Refused, opening: str, closing: str
) -> None:
    # To show a value takes stack as reading it does. The depths around the last one that can be
    # read are at risk.
    for depth in (10, 100, *range(850, 950), 5000):
        deep = f"{opening * depth}1{closing * depth}"
        body = {"operation": "send", "receiver": {"required": ["DEEP"]}, "reminder": "DEEP"}
        raw = json.dumps(body)
        assert is_refusal(refused(call(raw=raw.replace('"DEEP"', deep).encode())))


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe\xfd",
        b'{"operation": "\xff"}',
        b'{"operation": "\xc0\xaf"}',
        b'{"operation": "\xed\xa0\x80"',
        '{"operation": "取消"}'.encode("gbk"),
        b"\0" * 100,
        b"NaN",
        b'{"operation": NaN}',
        b'{"operation": "cancel", "reminder": Infinity}',
        b'{"operation": "cancel", "uid": "m"} trailing',
        b'{"operation": "cancel", "uid": "m"}{}',
        b"{'operation': 'cancel'}",
        b'{"operation": "can\ncel"}',
        b'{"operation": 01}',
        b'{"operation": "\\x"}',
        b'{"operation": "\\u12"}',
        b"operation=cancel&uid=m",
        b"<operation>cancel</operation>",
    ],
)
def test_body_that_is_not_json_is_not_found(call: Call, refused: Refused, raw: bytes) -> None:
    response = call(raw=raw)
    assert (response.status_code, refused(response)) == (404, {"error": "Not found"})


def test_byte_order_mark_and_double_name_are_read(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP
) -> None:
    doubled = json.dumps(meeting).replace('{"operation"', '{"subj": "first", "operation"', 1)
    response = call(raw=b"\xef\xbb\xbf" + doubled.encode())
    assert (response.status_code, body_of(response)["result"]) == (200, 1)
    assert b"first" not in mail_server.received[0].raw
