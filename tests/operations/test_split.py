"""This and future occurrences: the series ends early, and the rest goes on or is cancelled."""

from datetime import timedelta

import pytest

from meetings.itip.errors import InvalidProperty
from meetings.itip.moment import Moment
from meetings.itip.recurrence.rule import Frequency, Rule
from meetings.models import Meeting
from meetings.operations.resend import bring_up_to_date
from meetings.operations.steps import wait
from tests.support.background import deliver, deliver_later
from tests.support.cast import BOB, CAROL, DAN
from tests.support.other_process import OtherProcess
from tests.support.readers.mail import Mails, read
from tests.support.servers.smtp_server import DROP, ScriptedSMTP
from tests.support.stories import MONDAY, cancel, recipients, send, send_again, update

SIX = Rule(freq=Frequency.WEEKLY, count=6, by_day=("MO",))
DAYS = [MONDAY + timedelta(weeks=week) for week in range(6)]
BOTH = [BOB.address, CAROL.address]
BOTH_TOLD = dict.fromkeys(BOTH, "told")
pytestmark = pytest.mark.usefixtures("six_mondays")


@pytest.fixture
def six_mondays(db: None, mail_server: ScriptedSMTP) -> None:
    send(rule=SIX)


def test_split_continues_the_series_under_a_new_uid(mails: Mails) -> None:
    standing = update(occurrence=DAYS[2], and_future=True, location="Room 9")
    old, new = Meeting.objects.get(uid="meeting-1"), Meeting.objects.get(uid=standing.new_uid)
    assert (new.continues, new.continues_from) == (old, DAYS[2])
    assert (old.location, new.location) == ("Room 7", "Room 9")
    assert standing.occurrences == tuple(DAYS[:2])
    assert recipients(standing) == BOTH_TOLD
    _, ended, rest = mails()
    assert (ended.vevent.uid.value, ended.sequence) == ("meeting-1", 1)
    assert ended.vevent.rrule.value == "FREQ=WEEKLY;UNTIL=20320308T020000Z;BYDAY=MO"
    assert (rest.vevent.uid.value, rest.sequence) == (standing.new_uid, 0)
    assert rest.vevent.rrule.value == "FREQ=WEEKLY;COUNT=4;BYDAY=MO"


def test_split_says_the_worse_of_two_states(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = ["250 ok", "451 4.3.0 later"]
    standing = update(occurrence=DAYS[2], and_future=True, location="Room 9")
    assert recipients(standing) == {BOB.address: "queued", CAROL.address: "queued"}
    assert (standing.pending, standing.error) == (True, "")
    mail_server.scripts["mail"] = "250 ok"
    deliver_later()
    assert len(mail_server.accepted) == 3


def test_who_is_mailed_one_part_by_itself_has_not_failed(
    mail_server: ScriptedSMTP, mails: Mails
) -> None:
    no = "550 5.7.1 no"
    mail_server.scripts |= {"rcpt": [no, no, "250 ok"], "dot": [DROP, DROP, "250 ok"]}
    standing = update(occurrence=DAYS[2], and_future=True, location="Room 9")
    assert recipients(standing) == dict.fromkeys(BOTH, "queued")
    assert standing.pending
    deliver_later()
    assert [mail.people for mail in mails()[1:]] == [BOTH]


def test_split_is_no_0_where_one_of_two_mails_was_accepted(mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["mail"] = ["550 5.7.1 no", "250 ok"]
    standing = update(occurrence=DAYS[2], and_future=True, location="Room 9")
    assert recipients(standing) == {BOB.address: "outstanding", CAROL.address: "outstanding"}
    assert (standing.told, standing.error) == (True, "")


def test_series_can_be_split_again_at_an_earlier_occurrence(mails: Mails) -> None:
    update(occurrence=DAYS[4], and_future=True, location="Room 9")
    standing = update(occurrence=DAYS[2], and_future=True, location="Room 8")
    assert recipients(standing) == BOTH_TOLD
    old = Meeting.objects.get(uid="meeting-1")
    assert sorted(old.continued_by.values_list("location", "continues_from")) == [
        ("Room 8", DAYS[2]),
        ("Room 9", DAYS[4]),
    ]
    assert mails()[-1].vevent.rrule.value.startswith("FREQ=WEEKLY;UNTIL=20320322T020000Z")


def test_half_that_ended_keeps_its_days_at_a_new_time(mails: Mails) -> None:
    cancel(occurrence=DAYS[3], and_future=True)
    moved = [day.replace(hour=11) for day in DAYS[:3]]
    standing = update(start=Moment(moved[0]), end=Moment(moved[0].replace(hour=12)))
    assert standing.occurrences == tuple(moved)
    assert mails()[-1].vevent.rrule.value == "FREQ=WEEKLY;UNTIL=20320315T030000Z;BYDAY=MO"


def test_cancelling_this_and_future_ends_the_series(mails: Mails) -> None:
    standing = cancel(occurrence=DAYS[2], and_future=True, reason="The project ends.")
    assert (standing.new_uid, standing.occurrences) == ("", tuple(DAYS[:2]))
    assert [mail.method for mail in mails()] == ["REQUEST", "REQUEST"]
    text = mails()[-1].text
    assert "The project ends." in text


def test_people_from_then_on_are_told_of_their_part_only(mails: Mails) -> None:
    standing = update(occurrence=DAYS[2], and_future=True, attendees=(BOB, DAN))
    to_dan = [mail for mail in mails() if DAN.address in mail.people]
    assert [mail.vevent.uid.value for mail in to_dan] == [standing.new_uid]
    to_carol = [mail.vevent.uid.value for mail in mails() if CAROL.address in mail.people]
    assert to_carol == ["meeting-1", "meeting-1"]


def test_refused_split_stores_nothing() -> None:
    with pytest.raises(InvalidProperty):
        update(occurrence=DAYS[0], and_future=True)
    assert Meeting.objects.get().sequence == 0


def test_half_of_a_split_does_not_cancel_a_change_of_the_other(mails: Mails) -> None:
    update(occurrence=DAYS[4], location="Room 9")
    before = len(mails())
    standing = update(occurrence=DAYS[2], and_future=True, summary="New")
    told = [
        (mail.method, mail.vevent.uid.value, hasattr(mail.vevent, "recurrence_id"))
        for mail in mails()[before:]
    ]
    # The old series clears the single day out of calendars that would keep it. The new one has it.
    assert told == [
        ("CANCEL", "meeting-1", True),
        ("CANCEL", "meeting-1", True),
        ("REQUEST", "meeting-1", False),
        ("REQUEST", standing.new_uid, False),
        ("REQUEST", standing.new_uid, True),
    ]


def test_split_is_no_0_while_another_process_mails_one_of_two_parts(
    mail_server: ScriptedSMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "MOST_FOR_ONE", 0)  # it does not wait for the other process
    update(summary="New", budget=0)
    other = OtherProcess()
    other.stores()
    mail_server.scripts["rcpt"] = "550 5.7.1 no"
    standing = update(occurrence=DAYS[2], and_future=True, location="Room 9")
    assert recipients(standing) == {BOB.address: "sending", CAROL.address: "sending"}
    assert (standing.pending, standing.error) == (True, "")
    mail_server.scripts["rcpt"] = "250 ok"
    other.sends()
    deliver_later()
    assert ended(mail_server) == BOTH


@pytest.fixture
def rest(mail_server: ScriptedSMTP) -> str:
    """The new uid of a split at the third day that nobody could be told of."""
    mail_server.scripts["rcpt"] = "550 5.7.1 no"
    standing = update(occurrence=DAYS[2], and_future=True, location="Room 9")
    mail_server.scripts["rcpt"] = "250 ok"
    assert standing.error
    return standing.new_uid


def ended(mail_server: ScriptedSMTP) -> list[str]:
    """Who was sent a mail that shortens the series."""
    return [
        address
        for mail in mail_server.accepted
        for address in mail.recipients
        if "UNTIL=20320308" in (event := read(mail.raw).vevent).rrule.value
        and event.uid.value == "meeting-1"
    ]


def test_call_on_the_rest_also_tells_that_the_series_ended(
    rest: str, mail_server: ScriptedSMTP
) -> None:
    standing = update(rest, summary="Later")
    assert (standing.uid, standing.new_uid) == (rest, "")
    assert recipients(standing) == BOTH_TOLD
    assert ended(mail_server) == BOTH


def test_person_who_is_taken_off_the_rest_is_told_that_the_series_ended(
    rest: str, mail_server: ScriptedSMTP
) -> None:
    standing = update(rest, attendees=(BOB,))
    assert recipients(standing) == BOTH_TOLD
    assert ended(mail_server) == BOTH


def test_cancelling_the_rest_tells_that_the_series_ended(
    rest: str, mail_server: ScriptedSMTP
) -> None:
    standing = cancel(rest)
    assert recipients(standing) == BOTH_TOLD
    assert ended(mail_server) == BOTH


def test_resend_of_the_rest_tells_one_person_that_the_series_ended(
    rest: str, mail_server: ScriptedSMTP
) -> None:
    send_again(rest, only_failed=True, to=BOB.address)
    assert ended(mail_server) == [BOB.address]


def test_rest_of_a_rest_tells_that_the_first_part_ended(
    rest: str, mail_server: ScriptedSMTP
) -> None:
    split = update(rest, occurrence=DAYS[4], and_future=True, location="Room 8")
    assert ended(mail_server) == BOTH
    update(split.new_uid, summary="Later")
    assert ended(mail_server) == BOTH


def test_bringing_the_rest_up_to_date_tells_that_the_series_ended(
    rest: str, mail_server: ScriptedSMTP
) -> None:
    rest_of_it = Meeting.objects.get(uid=rest).pk
    assert bring_up_to_date([rest_of_it]) == [rest_of_it]
    deliver()
    assert ended(mail_server) == BOTH


def test_result_is_0_where_nobody_is_told_of_any_part(rest: str, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = "450 4.2.0 later"
    standing = update(rest, summary="Later")
    assert standing.error
    mail_server.scripts["rcpt"] = "250 ok"
    deliver_later()
    assert len(mail_server.accepted) == 1


def test_same_split_again_tries_everybody_once(rest: str, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = "550 5.7.1 no"
    before = len(mail_server.commands)
    update(occurrence=DAYS[2], and_future=True, location="Room 9")
    tries = [line for _, line in mail_server.commands[before:] if line.startswith("MAIL")]
    assert len(tries) == 2
