"""The service as a conversation meets it: its calls, its commands, and the mail it sends.

Calls go through Django's test client: middleware, routes and views are real, there is no socket.
"""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client

from meetings.models import ApiKey, Attendee, Meeting
from tests.support.servers.smtp_server import ScriptedSMTP

SENDERS = ["*@example.com"]


class Service:
    """The service and its mail server."""

    def __init__(self, mail_server: ScriptedSMTP) -> None:
        self.mail_server = mail_server
        self._keys: dict[str, str] = {}
        self._read = 0
        self._refused: dict[str, str] = {}
        mail_server.scripts["rcpt"] = self._refused

    def post(self, caller: str, headers: Mapping[str, str], body: bytes) -> Any:
        """POST as the program ``caller``, with its own key."""
        if caller not in self._keys:
            self._keys[caller] = ApiKey.objects.create_key(name=caller, senders=SENDERS)[1]
        client = Client(headers={"Authorization": f"Api-Key {self._keys[caller]}", **headers})
        return client.post("/meeting_server/", data=body, content_type="application/json")

    def run(self, *command: str) -> None:
        """``manage.py`` with this command."""
        with _own_signals():
            call_command(*command)

    def deliver_later(self) -> None:
        """Let the time of the next try come, and the background deliver."""
        Attendee.objects.filter(retry_at__isnull=False).update(retry_at=Now())
        Meeting.objects.filter(due_at__isnull=False).update(due_at=Now())
        self.run("deliver_mail", "--once")

    def refuse(self, address: str, reply: str) -> None:
        """Have the mail server reply this to one recipient, or to ``everybody``."""
        if address == "everybody":
            self.mail_server.scripts["mail"] = reply
        self._refused[address] = reply

    def refuse_nobody(self) -> None:
        """Have the mail server take everything again."""
        self.mail_server.scripts["mail"] = "250 2.1.0 sender ok"
        self._refused.clear()

    def new_mails(self) -> list[tuple[tuple[str, ...], bytes]]:
        """The recipients and the bytes of each mail that was taken since the last time."""
        taken = self.mail_server.accepted[self._read :]
        self._read += len(taken)
        return [(transaction.recipients, transaction.raw) for transaction in taken]


@contextmanager
def _own_signals() -> Iterator[None]:
    """A command may set handlers; the tests' are put back."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
