"""Stop all mail, and let it go on: one switch for every process."""

from meetings.models import Pause


def pause(by: str, reason: str = "") -> Pause:
    """Have no process begin to send any more, and return the switch that is in force.

    Calls go on being stored, and are answered that they are queued. An earlier pause stays as it
    is. What a mail server is just taking ends in order.
    """
    switch, _is_new = Pause.objects.get_or_create(id=1, defaults={"by": by, "reason": reason})
    return switch


def resume() -> bool:
    """Let mail go on; what waited is due at once. Return whether it was paused."""
    count, _ = Pause.objects.all().delete()
    return bool(count)
