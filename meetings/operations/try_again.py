"""Try again: an operator has what failed sent in the background once more, the same bytes."""

from meetings.models import DeliveryState
from meetings.models.delivery import DeliveryQuerySet
from meetings.operations.steps.wake import wake


def try_again(deliveries: DeliveryQuerySet) -> int:
    """Queue the failed ones of ``deliveries``, and return how many were.

    One that a newer version has overtaken stays failed.
    """
    failed = deliveries.order_by().filter(state=DeliveryState.FAILED)
    mails = list(failed.values_list("mail_id", flat=True).distinct())
    count = failed.requeue()
    wake(mails)
    return count
