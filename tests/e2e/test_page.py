"""The examples on the page of the replaced service, posted verbatim to a running server."""

import ast
import json
import uuid
from datetime import datetime
from typing import Any

import pytest
import recurring_ical_events
from icalendar import Calendar

from tests.e2e.conftest import Server, page_examples
from tests.support.readers.mail import Invitation, read

SINGLE, SERIES = page_examples()
MONDAYS = [datetime(2019, 12, day, 10) for day in (2, 9, 16)]


def example(text: str, operation: str, uid: str) -> dict[str, Any]:
    """The page's example, with another operation, and a uid for a meeting of the test's own."""
    body: dict[str, Any] = ast.literal_eval(text)
    assert body["uid"] == "fd973b4c-111c-11ea-9671-005056c00008"
    return body | {"operation": operation, "uid": uid}


def starts(invitation: Invitation) -> list[datetime]:
    """The wall-clock start of each occurrence, by a library that did not write the rule."""
    part = next(
        part for part in invitation.mail.walk() if part.get_content_type() == "text/calendar"
    )
    calendar = Calendar.from_ical(part.get_payload(decode=True))  # type: ignore[arg-type]
    found = recurring_ical_events.of(calendar).between(datetime(2019, 1, 1), datetime(2021, 1, 1))
    return sorted(event["DTSTART"].dt.replace(tzinfo=None) for event in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(SINGLE, [datetime(2019, 11, 30, 10)]), (SERIES, MONDAYS)],
    ids=["single", "series"],
)
def test_examples_of_the_page_work_in_order(
    server: Server, text: str, expected: list[datetime]
) -> None:
    uid = str(uuid.uuid4())
    before = len(server.smtp.accepted)
    responses = []
    for operation, change in (
        ("send", {}),
        ("update", {"subj": "改"}),
        ("update", {"location": "8F"}),
        ("cancel", {}),
    ):
        response = server.post(example(text, operation, uid) | change)
        assert response.status == 200
        responses.append(response.body)
    assert [(response["result"], response["uid"]) for response in responses] == [(1, uid)] * 4

    invitations = [read(transaction.raw) for transaction in server.smtp.accepted[before:]]
    assert [invitation.method for invitation in invitations] == [
        "REQUEST",
        "REQUEST",
        "REQUEST",
        "CANCEL",
    ]
    assert [invitation.sequence for invitation in invitations] == [0, 1, 2, 3]
    assert {invitation.vevent.uid.value for invitation in invitations} == {uid}
    assert [starts(invitation) for invitation in invitations[:3]] == [expected] * 3
    title = ast.literal_eval(text)["subj"]
    assert [invitation.vevent.summary.value for invitation in invitations] == [
        title,
        "改",
        title,
        title,
    ]
    assert [invitation.vevent.location.value for invitation in invitations[1:]] == [
        "xxxxx7F会议室",
        "8F",
        "8F",
    ]
    assert {people for invitation in invitations for people in invitation.people} == {"xxx@xxx.com"}


def test_made_uid_works_for_update_and_cancel(server: Server) -> None:
    body = example(SINGLE, "send", "")
    del body["uid"]
    uid = server.post(body).body["uid"]
    assert server.post({"operation": "update", "uid": uid, "subj": "改"}).body["sequence"] == 1
    assert server.post({"operation": "cancel", "uid": uid}).body["sequence"] == 2


def test_empty_call_gets_the_response_of_the_page(server: Server) -> None:
    response = server.post({})
    assert (response.status, response.body) == (404, {"error": "Not found"})


def test_english_caller_gets_english_mail(server: Server) -> None:
    body = example(SERIES, "send", str(uuid.uuid4()))
    server.post(body, **{"Accept-Language": "en-GB,en;q=0.9"})
    text = read(server.smtp.accepted[-1].raw).mail.get_body(("plain",))
    assert text is not None
    assert "every Monday" in text.get_content()


def test_body_that_comes_in_chunks_is_read(server: Server) -> None:
    body = json.dumps(example(SINGLE, "send", str(uuid.uuid4()))).encode()
    response = server.post(iter([body[:50], body[50:]]))
    assert (response.status, response.body["result"]) == (200, 1)


def test_chunked_body_over_the_limit_is_refused(server: Server) -> None:
    response = server.post(iter([b" " * 600_000, b" " * 600_000]))
    assert (response.status, response.body) == (413, {"error": "The body is over the limit."})
