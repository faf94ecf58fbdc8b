"""What an operation refuses because of what is stored."""


class OperationError(Exception):
    """Base of the refusals below."""


class UnknownMeeting(OperationError):
    """Nobody sent this uid, or another key did: the caller is not told which."""


class Conflict(OperationError):
    """The call contradicts what is stored; ``field`` and ``message`` say how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
