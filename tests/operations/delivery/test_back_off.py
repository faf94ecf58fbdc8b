"""Deferred mail in the background: when it is tried again, and when it is given up."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from meetings.itip.event import Attendee
from meetings.itip.moment import Moment
from meetings.models import Attendee as AttendeeRow
from meetings.models import Delivery, Meeting
from meetings.operations.resend import bring_up_to_date
from tests.support.background import deliver, deliver_later, pass_time
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import row_of
from tests.support.stories import SECOND, cancel, queue, recipients, send, send_again, update

pytestmark = pytest.mark.usefixtures("db", "mail_server", "no_jitter")
LATER = "451 4.3.0 try later"


@pytest.fixture
def no_jitter(settings: Settings) -> None:
    settings.MEETINGS_JITTER = 0


@pytest.fixture
def bob_waits(db: None, no_jitter: None, mail_server: ScriptedSMTP) -> None:
    """Carol has the meeting. Bob's mail server puts his mail off."""
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    send()


def pause() -> float | None:
    """Seconds from Bob's last try to his next one, which the meeting is due for."""
    row = row_of(BOB.address)
    if row.retry_at is None:
        return None
    assert Meeting.objects.get().due_at == row.retry_at
    last = Delivery.objects.filter(attendee=row).latest("pk")
    assert last.finished_at is not None
    return (row.retry_at - last.finished_at).total_seconds()


def tries() -> int:
    return Delivery.objects.filter(attendee__address=BOB.address).latest("pk").attempt


@pytest.mark.usefixtures("bob_waits")
def test_pauses_grow_and_the_last_one_stays() -> None:
    found = []
    for _ in range(7):
        found.append(pause())
        deliver_later()
    assert found == [30, 120, 600, 1800, 3600, 3600, 3600]
    assert tries() == 8


@pytest.mark.usefixtures("bob_waits")
def test_nobody_is_tried_before_the_time_has_come() -> None:
    pass_time(seconds=29)
    deliver()
    assert tries() == 1
    pass_time(seconds=1)
    deliver()
    assert tries() == 2


@pytest.mark.usefixtures("bob_waits")
def test_jitter_parts_those_who_failed_together(settings: Settings) -> None:
    settings.MEETINGS_JITTER = 0.1
    deliver_later()
    found = pause()
    assert found is not None
    assert 108 <= found <= 132


@pytest.mark.usefixtures("bob_waits")
def test_person_is_given_up_after_24_hours() -> None:
    pass_time(hours=23)
    deliver()
    assert pause() == 120
    pass_time(hours=1)
    deliver()  # one try for what fell due meanwhile
    assert (tries(), pause()) == (3, None)
    row = row_of(BOB.address)
    assert (row.failed_sequence, row.last_reply) == (0, LATER)
    assert Meeting.objects.get().due_at is None


@pytest.mark.usefixtures("bob_waits")
@pytest.mark.parametrize("begin", [send, lambda: send_again(only_failed=True)])
def test_call_begins_the_24_hours_anew(begin: object) -> None:
    assert callable(begin)
    pass_time(hours=23.9)
    begin()
    pass_time(hours=1)
    deliver()
    assert pause() is not None


@pytest.mark.usefixtures("bob_waits")
def test_each_version_begins_the_24_hours_anew(mail_server: ScriptedSMTP) -> None:
    pass_time(hours=23.9)
    update(summary="New")
    assert (tries(), pause()) == (1, 30)
    pass_time(hours=1)
    deliver()
    assert pause() == 120


def test_background_gets_one_try_for_a_version_that_waited_too_long(
    mail_server: ScriptedSMTP,
) -> None:
    queue()
    pass_time(hours=30)
    deliver()
    assert len(mail_server.accepted) == 1


@pytest.mark.usefixtures("bob_waits")
def test_given_up_person_is_left_alone_by_the_background(mail_server: ScriptedSMTP) -> None:
    pass_time(hours=25)
    deliver()
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    assert tries() == 2
    assert len(bring_up_to_date([Meeting.objects.get().pk])) == 1
    deliver()
    row = row_of(BOB.address)
    assert (row.told_sequence, row.failed_sequence) == (0, None)


def ago(**period: float) -> datetime:
    """A wall-clock time in Shanghai, where the meeting is."""
    now = timezone.now() + timedelta(hours=8)
    return now.replace(tzinfo=None, microsecond=0) - timedelta(**period)


def test_meeting_that_is_over_is_not_tried_again(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    standing = send(start=ago(hours=2), end=ago(hours=1))
    assert recipients(standing) == {BOB.address: "outstanding", CAROL.address: "told"}


def test_last_try_is_not_after_the_end_of_the_meeting(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    send(start=ago(hours=1), end=ago(seconds=-60))
    assert pause() == 30
    deliver_later()
    assert row_of(BOB.address).failed_sequence == 0  # two minutes are too long


def test_tries_go_on_until_the_end_that_the_reader_knows(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS)
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    update(start=Moment(ago(days=300)), end=Moment(ago(days=300, hours=-1)), recurrence=None)
    assert pause() == 30  # his calendar shows three Mondays to come


def test_tries_go_on_until_the_end_of_a_moved_occurrence(mail_server: ScriptedSMTP) -> None:
    send(rule=MONDAYS)
    update(
        occurrence=SECOND,
        start=Moment(SECOND.replace(hour=12)),
        end=Moment(SECOND.replace(hour=13)),
    )
    mail_server.scripts["rcpt"] = {BOB.address: LATER}
    assert recipients(cancel(occurrence=SECOND))[BOB.address] == "queued"
    assert pause() == 30


@pytest.mark.usefixtures("bob_waits")
def test_call_tries_people_in_back_off_at_once(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = "250 ok"
    assert recipients(send()) == {BOB.address: "told", CAROL.address: "told"}
    assert (tries(), pause()) == (2, None)


@pytest.mark.usefixtures("bob_waits")
def test_background_leaves_one_in_back_off_and_tells_the_others(mail_server: ScriptedSMTP) -> None:
    bob = row_of(BOB.address)
    Meeting.objects.update(due_at=timezone.now())
    deliver()
    assert row_of(BOB.address).retry_at == bob.retry_at == Meeting.objects.get().due_at
    assert tries() == 1


def test_who_shares_a_mail_is_tried_again_together(
    mail_server: ScriptedSMTP, settings: Settings
) -> None:
    settings.MEETINGS_JITTER = 0.5
    people = [Attendee(address=f"person{number}@example.org") for number in range(9)]
    send(attendees=people, budget=0)
    mail_server.scripts["dot"] = LATER
    deliver()
    assert AttendeeRow.objects.values("retry_at").distinct().count() == 1
