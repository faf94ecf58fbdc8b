"""What an operation refuses because of what is stored, or of who asks."""


class OperationError(Exception):
    """The base of the refusals below. ``str(error)`` is a whole sentence."""


class UnknownMeeting(OperationError):
    """Nobody sent this uid, or another client did. The caller is not told which."""

    def __init__(self, uid: str) -> None:
        super().__init__("No meeting has this uid.")
        self.uid = uid


class SenderNotPermitted(OperationError):
    """The caller may not speak for this sender."""

    def __init__(self) -> None:
        super().__init__("This API key may not speak for this sender.")


class Conflict(OperationError):
    """The call contradicts what is stored. ``field`` names the request's field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
