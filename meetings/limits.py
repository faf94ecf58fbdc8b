"""What each number among the settings may be. Outside its limits the server cannot work."""

from dataclasses import dataclass
from math import inf

_DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a setting with this ``default``, and why less, or more, cannot work.

    ``check`` is the id of the system check, which stays the same for ever.
    """

    check: str
    least: float
    most: float = inf
    default: str
    too_little: str
    too_much: str = "Nothing here takes longer than a day."

    def admit(self, value: float) -> bool:
        """Whether the value is within the limits. NaN never is."""
        return self.least <= value <= self.most

    def why_not(self, value: float) -> str:
        """Why a value that is not admitted cannot work."""
        return self.too_little if value < self.least else self.too_much

    @property
    def advice(self) -> str:
        """What to set instead."""
        span = f"at least {self.least:.10g}"
        if self.most < inf:
            span = f"{self.least:.10g} at least and {self.most:.10g} at most"
        return f"Set it to {span}, or unset it for {self.default}."


LIMITS = {
    "MEETINGS_LEASE": Limits(
        check="E004",
        least=5.0,
        most=_DAY,
        default="30",
        too_little="A living process could be taken for dead, and its mails would leave twice.",
        too_much="The mails of a dead process would wait for so long.",
    ),
    "MEETINGS_SMTP_RECIPIENTS": Limits(
        check="E008",
        least=1,
        default="100, which every mail server has to take",
        too_little="A mail without recipients cannot be sent.",
    ),
    "MEETINGS_SMTP_DEADLINE": Limits(
        check="E009",
        least=1.0,
        most=_DAY,
        default="300",
        too_little="The background could send no mail in that time, and would try for ever.",
    ),
    "MEETINGS_SMTP_RATE": Limits(
        check="E021",
        least=0.0,
        default="0, which is no limit",
        too_little="A number of mails is not negative.",
    ),
    "MEETINGS_STOP_TIMEOUT": Limits(
        check="E022",
        least=0.0,
        most=_DAY,
        default="25",
        too_little="A time is not negative.",
    ),
    "EMAIL_TIMEOUT": Limits(
        check="E010",
        least=1.0,
        most=_DAY,
        default="30",
        too_little="No mail server replies in that time.",
    ),
    "MEETINGS_TIME_BUDGET": Limits(
        check="E011",
        least=0.0,  # every call is answered with 202, and the background mails
        most=_DAY,
        default="10",
        too_little="A time is not negative.",
    ),
    "MEETINGS_BACK_OFF": Limits(
        check="E012",
        least=0.1,
        most=_DAY,
        default="30,120,600,1800,3600",
        too_little="A mail that was deferred would be tried again without a pause.",
        too_much="The server stops trying after a day.",
    ),
    "MEETINGS_JITTER": Limits(
        check="E013",
        least=0.0,
        most=1.0,
        default="0.1",
        too_little="A part of a pause is not negative.",
        too_much="A pause could be negative, so that there is none.",
    ),
    "MEETINGS_WAITING_CALLS": Limits(
        check="E014",
        least=0,  # no call waits
        default="12",
        too_little="A number of calls is not negative.",
    ),
    "MEETINGS_KEEP_BYTES_DAYS": Limits(
        check="E015",
        least=0,
        most=36_500,  # PostgreSQL can represent no date that is much older
        default="90",
        too_little="The bytes of a mail cannot be deleted before it is made.",
        too_much="Set it to 0 to keep the bytes for ever.",
    ),
    "MEETINGS_MAX_ATTENDEES": Limits(
        check="E016",
        least=1,
        default="1000",
        too_little="No meeting could be sent.",
    ),
    "MEETINGS_MAX_CHANGED_OCCURRENCES": Limits(
        check="E017",
        least=0,  # a series can be changed only as a whole
        default="100",
        too_little="A number of occurrences is not negative.",
    ),
    "MEETINGS_MAX_BODY": Limits(
        check="E018",
        least=1024,
        most=2**30,
        default="1048576",
        too_little="A call would not fit.",
        too_much="A body is read into memory as a whole.",
    ),
    "MEETINGS_SMTP_LAST_REPLY": Limits(
        check="E019",
        least=1.0,
        most=_DAY,
        default="600",
        too_little="A mail that the server accepts would be sent once more.",
    ),
    "MEETINGS_SMTP_CONNECTIONS": Limits(
        check="E020",
        least=0,  # the thread that calls sends
        default="8",
        too_little="A number of connections is not negative.",
    ),
    "MEETINGS_BODY_TIMEOUT": Limits(
        check="E023",
        least=1.0,
        most=_DAY,
        default="20",
        too_little="A call over a slow line would not arrive.",
    ),
}
