"""What is kept of single occurrences that somebody was told, where only the mail shows that."""

import pytest

from meetings.models import ToldOccurrence
from tests.support.background import deliver_later
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stories import SECOND, cancel, send, update

pytestmark = pytest.mark.django_db
LATER = "451 4.3.0 later"


def told() -> list[tuple[str, str, bool]]:
    """Who was told of which METHOD of an occurrence, and whether that is only possible."""
    rows = ToldOccurrence.objects.order_by("attendee__address")
    return list(rows.values_list("attendee__address", "method", "possible"))


def deferred_once(mail_server: ScriptedSMTP) -> None:
    """The background tries and is put off. Afterwards the mail server accepts."""
    mail_server.scripts["rcpt"] = LATER
    deliver_later()
    mail_server.scripts["rcpt"] = "250 ok"


def test_day_that_the_first_mail_leaves_out_counts_as_cancelled(
    mail_server: ScriptedSMTP,
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: LATER}
    send(rule=MONDAYS)
    update(occurrence=SECOND, attendees=(BOB,))
    assert told() == [(BOB.address, "REQUEST", False)]
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    assert told() == [(BOB.address, "REQUEST", False), (CAROL.address, "CANCEL", False)]


def test_deferred_day_counts_as_told_when_it_is_taken_up(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS, attendees=(BOB,))
    update(occurrence=SECOND, location="Room 9", budget=0)
    deferred_once(mail_server)
    assert told() == []
    update(occurrence=SECOND, location="Room 9")
    assert told() == [(BOB.address, "REQUEST", False)]


def test_deferred_cancellation_takes_back_each_day_when_it_is_taken_up(
    mail_server: ScriptedSMTP,
) -> None:
    send(rule=MONDAYS, attendees=(BOB,))
    update(occurrence=SECOND, location="Room 9")
    cancel(budget=0)
    deferred_once(mail_server)
    assert told() == [(BOB.address, "REQUEST", False)]
    cancel()
    assert told() == [(BOB.address, "CANCEL", False)]
