"""Find what is due, or was left by somebody who died, and have it delivered.

The claim is the guard: any number of sweeps may run at once, on any number of machines.
"""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError

from meetings.models import Delivery, Mail
from meetings.operations.steps.deliver import deliver_mail

log = logging.getLogger(__name__)

BATCH = 200  # deliveries that one look takes up


def due_mails(limit: int = BATCH) -> list[int]:
    """Return the ids of mails with something to send now, those that wait longest first.

    One query, by index.
    """
    return Delivery.objects.due_mails(limit)


def deliver_stored(mail_id: int) -> int:
    """Deliver what is due of the mail, and return how many deliveries were tried.

    A mail that is gone gives 0.
    """
    mail = Mail.objects.defer("raw").filter(pk=mail_id).first()
    return deliver_mail(mail) if mail else 0


def sweep(*, limit: int = BATCH, stop: Callable[[], bool] = lambda: False) -> list[int]:
    """Deliver what is due, one mail after the other, until ``stop()``.

    Return the ids of the mails. The same ones again mean that another process is sending them.
    Raises OperationalError or InterfaceError when the database is unavailable.
    """
    went_through = []
    for mail_id in due_mails(limit):
        if stop():
            break
        _deliver(mail_id)
        went_through.append(mail_id)
    return went_through


def _deliver(mail_id: int) -> None:
    try:
        deliver_stored(mail_id)
    except (OperationalError, InterfaceError):
        raise
    # one message that cannot be sent does not keep the others: its lease ends, its deadline comes
    except Exception:
        log.exception("Mail %d could not be delivered.", mail_id)
