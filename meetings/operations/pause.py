"""Stop all mail, and let it go on: one switch for every process."""

from dataclasses import dataclass

from meetings.models import Pause
from meetings.models.outbox.queue import end_back_off
from meetings.models.outbox.server import forget_trouble


@dataclass(frozen=True, slots=True)
class Paused:
    """The switch that is in force, and in ``before`` the one that was, if mail was paused."""

    switch: Pause
    before: Pause | None = None


def pause(by: str, reason: str = "") -> Paused:
    """Have no process begin to send any more.

    Calls go on being stored, and are answered that they are queued. What a mail server is just
    taking ends in order. An earlier pause goes on, since when it began. A new ``reason`` takes the
    place of the old one, with the name of who gives it.
    """
    switch, is_new = Pause.objects.get_or_create(id=1, defaults={"by": by, "reason": reason})
    if is_new or not reason:
        return Paused(switch, None if is_new else switch)
    now = Pause(id=1, since=switch.since, by=by, reason=reason)
    Pause.objects.filter(id=1).update(by=by, reason=reason)
    return Paused(now, switch)


def resume() -> bool:
    """Let mail go on; what waited is due at once. Return whether it was paused.

    A mail server that is left alone, because it had no room or hung, is tried at once, too, and so
    are all mails that it deferred.
    """
    forget_trouble()
    end_back_off()
    count, _ = Pause.objects.all().delete()
    return bool(count)
