"""The UID that ``resend`` and ``cancel`` take, where clients have used the same one."""

import pytest
from django.core.management.base import CommandError

from meetings.models import ApiKey, Meeting
from tests.commands.conftest import Run
from tests.conftest import Call
from tests.support.readers.mail import Mails
from tests.support.servers.smtp_server import ScriptedSMTP


@pytest.fixture
def same_uid(call: Call, meeting: dict[str, object], mail_server: ScriptedSMTP) -> list[Meeting]:
    """Two meetings with the uid "m", each of a client of its own."""
    booking = ApiKey.objects.create_key(name="Booking", senders=["*@example.com"])[1]
    call(meeting | {"uid": "m"})
    call(meeting | {"uid": "m"}, key=booking)
    return list(Meeting.objects.order_by("pk"))


@pytest.mark.parametrize("command", ["cancel", "resend"])
def test_uid_of_two_clients_is_refused_and_both_are_named(
    run: Run, same_uid: list[Meeting], command: str
) -> None:
    first, second = same_uid
    with pytest.raises(CommandError) as raised:
        run(command, "m")
    assert str(raised.value) == (
        "Several clients have a meeting with the uid m: add --ical-uid and name one of"
        f" m, {second.ical_uid}."
    )
    assert first.ical_uid == "m"
    assert not Meeting.objects.filter(status="CANCELLED").exists()


def test_ical_uid_alone_names_the_second_meeting(run: Run, same_uid: list[Meeting]) -> None:
    run("cancel", same_uid[1].ical_uid)
    assert list(Meeting.objects.filter(status="CANCELLED")) == [same_uid[1]]


def test_option_names_the_first_meeting(run: Run, same_uid: list[Meeting]) -> None:
    run("cancel", "m", "--ical-uid")
    assert list(Meeting.objects.filter(status="CANCELLED")) == [same_uid[0]]


def test_option_takes_no_other_uid(run: Run, same_uid: list[Meeting]) -> None:
    Meeting.objects.filter(pk=same_uid[0].pk).update(ical_uid="elsewhere")
    with pytest.raises(CommandError, match="No meeting has the uid m"):
        run("resend", "m", "--ical-uid")


def test_uid_of_one_client_needs_no_option(run: Run, same_uid: list[Meeting], mails: Mails) -> None:
    Meeting.objects.filter(pk=same_uid[1].pk).update(uid="other")
    run("resend", "other")
    assert mails()[-1].vevent.uid.value == same_uid[1].ical_uid
