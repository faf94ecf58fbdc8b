"""Postfix with the limits that a test gives it, between the application and a scripted server."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django import Settings

from meetings.models import Attendee
from tests.chaos.ledger import OWED
from tests.support.background import deliver
from tests.support.readers.mail import read
from tests.support.servers.postfix import ABSENT, Postfix, can_run, running_postfix
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.waiting import wait_until

Copies = Callable[[], dict[tuple[str, str], int]]


def limits(**parameters: str) -> pytest.MarkDecorator:
    """Give Postfix these parameters of main.cf in a test."""
    name = ",".join(f"{parameter}={value}" for parameter, value in parameters.items())
    return pytest.mark.parametrize("postfix", [pytest.param(parameters, id=name)], indirect=True)


@pytest.fixture
def postfix(
    request: pytest.FixtureRequest, smtp_server: ScriptedSMTP, settings: Settings
) -> Iterator[Postfix]:
    """The application's mail server. Its next hop is ``smtp_server``.

    A test that fails shows its log.
    """
    if not can_run():
        pytest.skip(ABSENT)
    settings.EMAIL_BACKEND = "meetings.transport.smtp.backend.EmailBackend"
    settings.MEETINGS_BACK_OFF = [0.1]
    with running_postfix(smtp_server, **request.param) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        yield server
        sys.stdout.write(server.said())


@pytest.fixture
def copies(postfix: Postfix, smtp_server: ScriptedSMTP) -> Copies:
    """Let the background do the rest. Return how many mails came for each uid and person.

    Nobody may have been given up.
    """

    def count() -> dict[tuple[str, str], int]:
        wait_until(_nothing_is_owed, "the last mail")
        postfix.wait_until_empty()
        given_up = Attendee.objects.filter(failed_sequence__isnull=False)
        assert not {person.address: person.last_reply for person in given_up}
        return Counter(
            (str(read(mail.raw).vevent.uid.value), person)
            for mail in smtp_server.accepted
            for person in mail.recipients
        )

    return count


def _nothing_is_owed() -> bool:
    deliver()
    with connection.cursor() as cursor:
        cursor.execute(OWED)
        return bool(cursor.fetchone() == (0,))
