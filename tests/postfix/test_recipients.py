"""A mail to many through a Postfix that takes few recipients at a time."""

from typing import Any

import pytest

from tests.api.responses import body_of
from tests.conftest import Call
from tests.postfix.conftest import Copies, limits
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = [f"person{number}@example.org" for number in range(25)]
ONCE = {("m", person): 1 for person in PEOPLE}
few_recipients = limits(smtpd_recipient_limit="10")


@pytest.fixture
def to_25(meeting: dict[str, Any]) -> dict[str, Any]:
    """The body of a send to 25 people."""
    return meeting | {"uid": "m", "receiver": {"required": PEOPLE}}


def sizes(server: ScriptedSMTP) -> list[int]:
    """How many recipients each mail has; Postfix hands on each transaction as it came."""
    return sorted(len(mail.recipients) for mail in server.accepted)


@few_recipients
def test_call_tells_25_people_ten_at_a_time(
    call: Call, to_25: dict[str, Any], copies: Copies, smtp_server: ScriptedSMTP
) -> None:
    body = body_of(call(to_25))
    assert (body["result"], body["recipients"]) == (1, dict.fromkeys(PEOPLE, "sent"))
    assert copies() == ONCE
    assert sizes(smtp_server) == [5, 10, 10]


@few_recipients
def test_background_tells_25_people_ten_at_a_time(
    call: Call, to_25: dict[str, Any], copies: Copies, smtp_server: ScriptedSMTP
) -> None:
    assert call(to_25, Prefer="respond-async").status_code == 202
    assert copies() == ONCE
    assert sizes(smtp_server) == [5, 10, 10]
