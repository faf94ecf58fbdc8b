"""What the protocol refuses. ``str(error)`` is a whole sentence that says what is wrong."""

from datetime import datetime


class ITipError(Exception):
    """The base of every refusal in this package."""


class InvalidProperty(ITipError):
    """A value that no calendar can represent.

    ``property`` is the property's name in RFC 5545 (``"DTEND"``). ``message`` is one English
    sentence that says what is wrong and how to fix it.
    """

    def __init__(self, property: str, message: str) -> None:  # noqa: A002 (RFC 5545's own word)
        super().__init__(message)
        self.property = property
        self.message = message


class InvalidRule(InvalidProperty):
    """A recurrence that is wrong, or that Outlook cannot represent (interop R4).

    ``part`` names the part at fault (``"COUNT"``, or ``"EXDATE"`` beside the rule). It is empty
    where the recurrence as a whole is at fault.
    """

    def __init__(self, part: str, message: str) -> None:
        super().__init__("RRULE", message)
        self.part = part


class ZoneNotExpressible(InvalidProperty):
    """No single pair of annual rules gives each occurrence its true UTC offset (interop Z3)."""

    def __init__(self, message: str) -> None:
        super().__init__("TZID", message)


class OccurrenceCancelled(ITipError):
    """The occurrence at ``when`` (a wall-clock time) was cancelled or left out before."""

    def __init__(self, when: datetime) -> None:
        super().__init__(f"The occurrence of {when:%Y-%m-%d %H:%M} was cancelled already.")


class NoAttendees(ITipError):
    """A meeting must invite at least one person (interop A5)."""

    def __init__(self) -> None:
        super().__init__("At least one person must be invited.")


class OrganizerMismatch(ITipError):
    """Only the stored ORGANIZER may change the meeting (interop A7)."""

    def __init__(self) -> None:
        super().__init__("The sender must be the one that the meeting was sent with.")
