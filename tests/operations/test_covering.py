"""A newer message supersedes an older one, unless it is about a single occurrence."""

from collections.abc import Callable

import pytest

from meetings.models import Delivery, DeliveryState, Mail
from meetings.operations.sweep import sweep
from tests.operations.test_occurrences import SECOND
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.readers.mail import Invitation, Mails
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import states
from tests.support.stories import cancel, send, update

pytestmark = pytest.mark.usefixtures("db", "mail_server")
QUEUED, SENT = DeliveryState.QUEUED, DeliveryState.SENT


@pytest.fixture
def carol_waits(db: None, mail_server: ScriptedSMTP) -> None:
    """Bob has the series. Carol's mail server has deferred hers."""
    mail_server.scripts["rcpt"] = {CAROL.address: "451 4.3.0 try later"}
    send(rule=MONDAYS)
    mail_server.scripts["rcpt"] = "250 ok"


def of_occurrence(invitation: Invitation) -> bool:
    return "recurrence-id" in invitation.vevent.contents


def deliver_all() -> None:
    """As if time had passed: pending mail becomes due, and then what stands behind it."""
    while Delivery.objects.filter(state=QUEUED).update(due_at="2020-01-01T00:00:00Z"):
        sweep()


@pytest.mark.usefixtures("carol_waits")
@pytest.mark.parametrize(
    "change",
    [
        lambda: update(occurrence=SECOND, budget=0, summary="Other"),
        lambda: cancel(occurrence=SECOND, budget=0),
    ],
    ids=["update", "cancel"],
)
def test_pending_series_goes_out_before_its_occurrence(
    mail_server: ScriptedSMTP, mails: Mails, change: Callable[[], object]
) -> None:
    change()
    deliver_all()
    assert set(states()) == {SENT}
    to_carol = [
        of_occurrence(invitation)
        for invitation, taken in zip(mails(), mail_server.accepted, strict=True)
        if CAROL.address in taken.recipients
    ]
    assert to_carol == [False, True]


@pytest.mark.usefixtures("carol_waits")
def test_newer_version_supersedes_pending_series() -> None:
    update(summary="Other")
    assert (
        Delivery.objects.get(mail=Mail.objects.earliest("pk"), address=CAROL.address).state
        == "superseded"
    )


def test_background_sends_series_and_its_occurrence(mails: Mails) -> None:
    send(rule=MONDAYS)
    update(occurrence=SECOND, summary="Other")
    before = len(mails())
    update(summary="Whole", budget=0)
    deliver_all()
    assert [of_occurrence(invitation) for invitation in mails()[before:]] == [False, True]


def test_pending_guest_is_told_of_cancelled_occurrence(mails: Mails) -> None:
    send(rule=MONDAYS, budget=0)
    cancel(occurrence=SECOND, budget=0)
    deliver_all()
    assert [invitation.method for invitation in mails()] == ["REQUEST", "CANCEL", "CANCEL"]
    assert {BOB.address, CAROL.address} == set(
        Delivery.objects.filter(state=SENT).values_list("address", flat=True)
    )
