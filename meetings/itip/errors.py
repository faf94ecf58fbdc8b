"""Everything the kernel can refuse, each with a stable code and the data that a caller needs to say
why.
"""

from datetime import datetime
from typing import ClassVar


class ITipError(Exception):
    """Base of every refusal of the kernel; ``code`` is stable and meant for programs."""

    code: ClassVar[str] = "itip"


class InvalidProperty(ITipError):
    """A value that no calendar could hold.

    ``field`` is the name of the request's field (``"end"``, ``"repeat.COUNT"``), ``message`` one
    English sentence that says what is wrong and how to mend it.
    """

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class InvalidRule(InvalidProperty):
    """A recurrence rule that is wrong, or that Outlook cannot hold (interop R4).

    ``part`` is the rule part at fault (``"COUNT"``), or empty when it is the rule as a whole.
    """

    code = "invalid_rule"

    def __init__(self, part: str, message: str) -> None:
        super().__init__(f"repeat.{part}" if part else "repeat", message)
        self.part = part


class ZoneNotExpressible(InvalidProperty):
    """No single pair of annual rules gives every occurrence its true offset (interop Z3)."""

    code = "zone_not_expressible"


class OccurrenceCancelled(ITipError):
    """The occurrence at ``when`` (wall-clock) was cancelled or left out before."""

    code = "occurrence_cancelled"

    def __init__(self, when: datetime) -> None:
        super().__init__(f"{when:%Y-%m-%d %H:%M}")
        self.when = when


class NoAttendees(ITipError):
    """A meeting whose only person is its organizer invites nobody (interop A5)."""

    code = "no_attendees"


class OrganizerMismatch(ITipError):
    """Somebody other than the stored ORGANIZER wants to change the meeting (interop A7)."""

    code = "organizer_mismatch"


class MeetingCancelled(ITipError):
    """After its CANCEL a UID is never used again (RFC 5546 §3.2.5, interop S8)."""

    code = "meeting_cancelled"
