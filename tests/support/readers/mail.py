"""A mail read back by the standard library and by vobject, which did not write it."""

import email
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from typing import Any

import vobject

from tests.support.servers.smtp_server import ScriptedSMTP


@dataclass(frozen=True, slots=True)
class Invitation:
    """One iMIP mail: the e-mail, and the VEVENT of its calendar part."""

    mail: EmailMessage
    method: str
    vevent: Any

    @property
    def sequence(self) -> int:
        return int(self.vevent.sequence.value)

    @property
    def dtstamp(self) -> str:
        return str(self.vevent.dtstamp.value)

    @property
    def is_of_one(self) -> bool:
        """Whether it is about one occurrence."""
        return "recurrence-id" in self.vevent.contents

    @property
    def text(self) -> str:
        """What people read who have no calendar."""
        body = self.mail.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def people(self) -> list[str]:
        """The ATTENDEEs' addresses."""
        return [attendee.value.removeprefix("mailto:") for attendee in self.vevent.attendee_list]


Mails = Callable[[], list[Invitation]]


def read(raw: bytes) -> Invitation:
    """The invitation in ``raw``; fails where a mail client would see none."""
    message = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert len(parts) == 1
    calendar = vobject.readOne(parts[0].get_payload(decode=True).decode())  # type: ignore[union-attr]
    assert calendar.method.value == parts[0].get_param("method")
    return Invitation(message, calendar.method.value, calendar.vevent)


def mails_to(address: str, mail_server: ScriptedSMTP) -> list[Invitation]:
    """The mails that the server took for one recipient."""
    return [read(mail.raw) for mail in mail_server.accepted if address in mail.recipients]
