"""No text in any field adds a header, a calendar property or a recipient."""

import base64
import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meetings.models import Meeting
from tests.api.conftest import Do, Last
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db

HEADERS = [
    "Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To",
    "X-Auto-Response-Suppress",
]  # fmt: skip
PROPERTIES = Counter((
    "BEGIN", "END", "UID", "DTSTAMP", "SEQUENCE", "SUMMARY", "DTSTART", "DTEND", "ORGANIZER",
    "CLASS", "PRIORITY", "DESCRIPTION", "LOCATION", "ATTENDEE", "STATUS", "TRANSP",
    "X-MICROSOFT-CDO-ALLDAYEVENT", "X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-IMPORTANCE",
    "X-MICROSOFT-CDO-INSTTYPE", "X-MICROSOFT-CDO-INTENDEDSTATUS", "X-MICROSOFT-DISALLOW-COUNTER",
))  # fmt: skip

NASTY = [
    "\r\nBcc: mallory@evil.example", "\n\nbody", "\r", "\0", "\x0b", "\x0c", "\x1c", "\x85",
    "\u2028", "\u2029", "\r\nATTENDEE:mailto:mallory@evil.example", "\nEND:VEVENT\nBEGIN:VEVENT\n",
    "\\nATTENDEE:mailto:m@evil.example", "\\", '"', "^n", "^'", ";", ":", ",",
    "=?utf-8?q?=0d=0aBcc:_m@evil.example?=", "=?utf-8?b?DQpYOiB5?=", "<", ">", "\ud800", "\ufeff",
    "\u202e", "--=_alternative", ".\r\n", "\r\n.\r\nRCPT TO:<mallory@evil.example>\r\n", "％０ａ",
    "<script>alert(1)</script>", "{{ 7|add:7 }}", "%(title)s", "{title}", "@evil.example", "\uff20",
    "\uff0c", "会",
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(max_size=20)), min_size=1, max_size=5
).map("".join)
LONG = st.builds(lambda text, times: text * times, TEXTS, st.integers(20, 60))
TEXT = st.one_of(TEXTS, LONG)


def in_field(meeting: dict[str, Any], field: str, text: str) -> dict[str, Any]:
    """The meeting with ``text`` in one field, Bob alone invited."""
    meeting = meeting | {"receiver": {"required": ["bob@example.org"]}}
    if not field.startswith("person"):
        value = f"{text} <alice@example.com>" if field == "sender's name" else text
        return meeting | {field.removesuffix("'s name"): value}
    people = {
        "person": text,
        "person's name": f"{text} <bob@example.org>",
        "person's quoted name": f'"{text}" <bob@example.org>',
        "person's address": f"bob{text}@example.org",
        "person's domain": f"bob@example{text}.org",
    }
    return meeting | {"receiver": {"required": [people[field]]}}


FIELDS = (
    "subj", "description", "location", "uid", "timezone", "start", "sender", "sender's name",
    "person", "person's name", "person's quoted name", "person's address", "person's domain",
)  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_text_in_any_field_adds_nothing_to_mail(
    call: Call, meeting: dict[str, Any], mail_server: ScriptedSMTP, field: str
) -> None:
    @settings(
        max_examples=35,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(text=TEXT)
    def check(text: str) -> None:
        # The same text again would be the same call again, which is not mailed twice.
        Meeting.objects.all().delete()
        mail_server.received.clear()
        response = call(in_field(meeting, field, text))
        body = body_of(response)
        if response.status_code != 200:
            assert 400 <= response.status_code < 500, body
            assert not mail_server.received
            return
        [transaction] = mail_server.received
        expected = set(body["recipients"]) if field.startswith("person") else {"bob@example.org"}
        assert len(transaction.recipients) == 1
        assert set(transaction.recipients) == set(body["recipients"]) == expected
        assert transaction.envelope_from.endswith("@example.com")
        assert_nothing_is_added(transaction.raw)

    check()


def assert_nothing_is_added(raw: bytes) -> None:
    """The mail has the usual headers and parts, and its calendar the usual properties."""
    head, _, _ = raw.partition(b"\r\n\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw)
    names = [
        line.split(b":")[0].decode() for line in head.split(b"\r\n") if not line.startswith(b" ")
    ]
    assert sorted(names) == HEADERS
    mail = message_from_bytes(raw)
    assert sorted(mail.keys()) == HEADERS
    assert not mail.defects
    parts = list(mail.walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/alternative", "text/plain", "text/html", "text/calendar",
    ]  # fmt: skip
    calendar = base64.b64decode(str(parts[3].get_payload())).decode()
    names_found = Counter(names_in_vevent(calendar))
    # These two texts may be empty. The property is then absent.
    assert names_found | Counter(DESCRIPTION=1, LOCATION=1) == PROPERTIES


def names_in_vevent(calendar: str) -> Iterator[str]:
    """The name of each property of the VEVENT, for a reader that sees a line break everywhere."""
    lines = re.split(
        r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", re.sub(r"\r\n[ \t]", "", calendar)
    )
    first = lines.index("BEGIN:VEVENT")
    return (re.split("[;:]", line)[0] for line in lines[first : lines.index("END:VEVENT") + 1])


@pytest.mark.parametrize("text", [text for text in NASTY if text not in {"\0", "\ud800"}])
def test_description_of_many_lines_stays_text(
    send: Do, mail_server: ScriptedSMTP, text: str
) -> None:
    send(description=f"first{text}last", receiver={"required": ["bob@example.org"]})
    [transaction] = mail_server.received
    assert transaction.recipients == ("bob@example.org",)
    assert_nothing_is_added(transaction.raw)


def test_markup_is_shown_as_text_in_html_body(send: Do, last: Last) -> None:
    markup = "<img src=x onerror=alert(1)>&amp;"
    send(
        subj=markup,
        location=markup,
        description=markup,
        receiver={"required": ['"&lt;b" <bob@example.org>']},
    )
    body = last().mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;&amp;amp;") >= 3
