"""How an attempt ends, as RECORD writes it."""

from django.conf import settings

from meetings.models import DeliveryState
from meetings.models.outbox.record import End
from meetings.operations.steps.sending import mail_server
from meetings.operations.steps.sending.parcels import Parcel
from meetings.operations.steps.sending.progress import Run
from meetings.transport.outcome import Loss, Outcome


def deferred(run: Run, parcel: Parcel, outcome: Outcome, *, given_up: bool = False) -> End:
    """Return a deferred end with its next try, or ``given_up``.

    A server that has room for nobody, or hangs for everybody, is left alone by all. So what it did
    is no step of the back-off: somebody is due when it is tried again.
    """
    is_nobodys = outcome.is_server_busy or (outcome.loss is Loss.SILENT and mail_server.is_broken())
    return End(
        delivery_id=parcel.delivery_id,
        attempt=parcel.attempt,
        state=DeliveryState.DEFERRED,
        reply=outcome.reply,
        retry_after=0.0 if is_nobodys else pause(run, parcel),
        given_up=given_up,
    )


def ended(
    parcel: Parcel,
    state: DeliveryState,
    outcome: Outcome | None = None,
    *,
    retry_after: float | None = None,
) -> End:
    """Return an end in ``state``; ``retry_after`` so many seconds, if it is to be tried again."""
    return End(
        delivery_id=parcel.delivery_id,
        attempt=parcel.attempt,
        state=state,
        reply=outcome.reply if outcome else "",
        retry_after=retry_after,
        shown=parcel.shown,
    )


def pause(run: Run, parcel: Parcel) -> float:
    """Return the seconds until the next try, with the run's jitter: not all runs try at once."""
    pauses = settings.MEETINGS_BACK_OFF
    tries = parcel.attempt - parcel.free_ends
    seconds = float(pauses[min(tries, len(pauses)) - 1])
    return seconds * (1 + run.jitter)
