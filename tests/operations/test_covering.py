"""Which newer message makes an older one superfluous: one about the whole meeting does, one about
an occurrence not.
"""

from collections.abc import Callable

import pytest

from meetings.models import Delivery, DeliveryState, Mail
from meetings.operations.sweep import sweep
from tests.operations.conftest import Do
from tests.operations.test_occurrences import SECOND, cancel_one, change_one
from tests.support.background import states
from tests.support.cast import BOB, CAROL, MONDAYS
from tests.support.mail import Invitation
from tests.support.smtp_server import ScriptedSMTP

Mails = Callable[[], list[Invitation]]
QUEUED, SENT = DeliveryState.QUEUED, DeliveryState.SENT


@pytest.fixture
def carol_waits(send: Do, mail_server: ScriptedSMTP) -> None:
    """Bob has the series; Carol's mail server has put hers off."""
    mail_server.scripts["rcpt"] = {CAROL.address: "451 4.3.0 try later"}
    send(rule=MONDAYS)
    mail_server.scripts["rcpt"] = "250 ok"


def of_occurrence(invitation: Invitation) -> bool:
    return "recurrence-id" in invitation.vevent.contents


def deliver_all() -> None:
    """As if time had passed: what waits becomes due, and what stands behind it."""
    while Delivery.objects.filter(state=QUEUED).update(due_at="2020-01-01T00:00:00Z"):
        sweep()


@pytest.mark.usefixtures("carol_waits")
@pytest.mark.parametrize(
    "change", [lambda: change_one(SECOND, summary="Other"), lambda: cancel_one(SECOND)]
)
def test_a_series_that_waits_is_sent_before_the_change_of_one_occurrence(
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
def test_a_series_that_waits_is_superseded_by_a_newer_version_of_the_whole(update: Do) -> None:
    update(summary="Other")
    assert (
        Delivery.objects.get(mail=Mail.objects.earliest("pk"), address=CAROL.address).state
        == "superseded"
    )


def test_series_and_occurrence_of_one_version_both_go_out_in_the_background(
    send: Do, update: Do, mails: Mails
) -> None:
    send(rule=MONDAYS)
    change_one(SECOND, summary="Other")
    before = len(mails())
    update(summary="Whole", budget=0)
    deliver_all()
    assert [of_occurrence(invitation) for invitation in mails()[before:]] == [False, True]


def test_who_waits_for_the_series_is_told_of_its_cancelled_occurrence(
    send: Do, mails: Mails
) -> None:
    send(rule=MONDAYS, budget=0)
    cancel_one(SECOND)
    deliver_all()
    assert [invitation.method for invitation in mails()] == ["REQUEST", "CANCEL", "CANCEL"]
    assert {BOB.address, CAROL.address} == set(
        Delivery.objects.filter(state=SENT).values_list("address", flat=True)
    )
