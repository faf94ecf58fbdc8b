"""Round trips to PostgreSQL: LOOK, STORE, and a RECORD for each SMTP transaction.

Each test needs a sender that has its lease already, as every process has after its first mail.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from pytest_django import Settings

from meetings.itip.event import Attendee
from meetings.models import Meeting
from meetings.operations.steps.sending import deliver
from meetings.operations.steps.sending.sender import current_lease
from meetings.operations.steps.tell import bring_up_to_date
from meetings.queries.standing import Standing
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.other_process import OtherProcess
from tests.support.servers.smtp_server import DROP, ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import SECOND, THIRD, UID, cancel, hr_system, recipients, send, update

pytestmark = pytest.mark.usefixtures("warm_lease")
AssertQueries = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def warm_lease(db: None, mail_server: ScriptedSMTP) -> None:
    current_lease()
    hr_system()


@pytest.mark.parametrize("story", [send, update, cancel])
@pytest.mark.parametrize(("budget", "statements"), [(None, 3), (0, 2)], ids=["call", "queued"])
def test_story_for_one_person_makes_three_statements(
    django_assert_num_queries: AssertQueries,
    story: Callable[..., Standing],
    budget: float | None,
    statements: int,
) -> None:
    invite: dict[str, Any] = {"attendees": (BOB,)} if story is send else {}
    if story is not send:
        send(attendees=(BOB,))
    client = 1  # it is looked up by these tests, and by the API together with the key
    with django_assert_num_queries(statements + client):
        story(budget=budget, **invite)


def people(count: int) -> tuple[Attendee, ...]:
    return tuple(Attendee(address=f"person-{number}@example.org") for number in range(count))


def test_many_ends_are_recorded_in_several_statements(
    django_assert_num_queries: AssertQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "_MOST_ENDS", 2)
    with django_assert_num_queries(1 + 2 + 3):
        standing = send(attendees=people(5))
    assert set(recipients(standing).values()) == {"told"}


@pytest.mark.parametrize("count", [2, 200])
def test_send_makes_the_same_statements_for_any_number_of_people(
    django_assert_num_queries: AssertQueries, settings: Settings, count: int
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 200
    with django_assert_num_queries(1 + 3):
        send(attendees=people(count))


def test_each_further_transaction_is_one_more_record(
    django_assert_num_queries: AssertQueries, settings: Settings
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 10
    with django_assert_num_queries(1 + 2 + 4):
        send(attendees=people(35))
    with django_assert_num_queries(1 + 2 + 35):
        cancel()


def test_update_of_an_occurrence_makes_three_statements(
    django_assert_num_queries: AssertQueries,
) -> None:
    send(rule=MONDAYS)
    with django_assert_num_queries(1 + 3):
        update(occurrence=SECOND, location="Room 9")


def test_older_versions_are_read_where_somebody_knows_only_those(
    django_assert_num_queries: AssertQueries, mail_server: ScriptedSMTP
) -> None:
    send()
    update(summary="Second", budget=0)
    with django_assert_num_queries(1 + 3 + 1):
        update(summary="Third")


def test_same_call_again_makes_two_statements(django_assert_num_queries: AssertQueries) -> None:
    send()
    with django_assert_num_queries(1 + 2):
        send()


@pytest.mark.parametrize("parts", [2, 3])
def test_each_earlier_part_of_a_series_is_looked_at_once_more(
    django_assert_num_queries: AssertQueries, parts: int
) -> None:
    send(rule=MONDAYS)
    uid = UID
    for day in (SECOND, THIRD)[: parts - 1]:
        uid = update(uid, occurrence=day, and_future=True, location=f"{day:%d}").new_uid
    earlier = parts - 1
    with django_assert_num_queries(1 + 3 + earlier):
        update(uid, summary="New")


def test_call_that_passes_over_people_looks_once_more(
    django_assert_num_queries: AssertQueries,
) -> None:
    send(budget=0)
    OtherProcess().stores()
    with django_assert_num_queries(1 + 3):
        update(summary="New", budget=0)


def test_unknown_end_is_one_more_record(
    django_assert_num_queries: AssertQueries, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["dot"] = [DROP, "250 ok"]
    with django_assert_num_queries(1 + 4):
        assert recipients(send()) == {BOB.address: "told", CAROL.address: "told"}


def test_what_was_deferred_is_recorded_with_the_first_accepted_mail(
    django_assert_num_queries: AssertQueries, mail_server: ScriptedSMTP
) -> None:
    send()
    mail_server.scripts["rcpt"] = {BOB.address: "451 4.3.0 later"}
    with django_assert_num_queries(1 + 3):
        assert recipients(cancel()) == {BOB.address: "queued", CAROL.address: "told"}


def test_what_is_not_begun_is_closed_by_one_record(
    django_assert_num_queries: AssertQueries,
) -> None:
    send(attendees=people(20))
    cancel(budget=0)
    process = OtherProcess()
    process.stores()
    with django_assert_num_queries(1):
        process.sends(seconds=0)
    assert states() == ["sent"] * 20 + ["dropped"] * 20


def test_background_makes_three_statements_after_its_claim(
    django_assert_num_queries: AssertQueries,
) -> None:
    send(budget=0)
    meeting = Meeting.objects.get().pk
    with django_assert_num_queries(3):
        assert bring_up_to_date(meeting) == 1


def test_background_that_finds_nothing_makes_two_statements(
    django_assert_num_queries: AssertQueries,
) -> None:
    send()
    meeting = Meeting.objects.get().pk
    with django_assert_num_queries(2):
        assert bring_up_to_date(meeting) == 0


def test_same_mail_again_reads_its_octets(
    django_assert_num_queries: AssertQueries, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {BOB.address: "451 4.3.0 later"}
    send()
    mail_server.scripts["rcpt"] = "250 ok"
    with django_assert_num_queries(1 + 4):
        send()
