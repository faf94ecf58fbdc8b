"""Plays a conversation: calls by Django's test client, a mail server, a calendar for each one."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from tests.conversations.messages import check_message
from tests.conversations.script import Block, Line, Step, read_script
from tests.conversations.service import Service
from tests.conversations.shown import Calendar, shown
from tests.support.readers.calendar_client import CalendarClient
from tests.support.readers.itip_reader import NotAnInvitation, ReceivedMessage, read_mail
from tests.support.servers.smtp_server import ScriptedSMTP

_NAME = re.compile(r"\$[a-z]+")
_HEADER = re.compile(r"[A-Za-z-]+: ")


def play(file: Path, mail_server: ScriptedSMTP) -> None:
    """Play the conversation in ``file``. Raises ConversationError at the first thing amiss."""
    conversation = Conversation(Service(mail_server))
    for step in read_script(file):
        conversation.play(step)


@dataclass
class Conversation:
    """What has become of everybody's calendar, and what the $names of the file stand for."""

    service: Service
    calendars: dict[str, Calendar] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    new_calendar: Callable[[str], Calendar] = CalendarClient

    def play(self, step: Step) -> None:
        """Do what the step says and check what follows. Raises ConversationError."""
        actions: dict[str, Callable[[Block], Any]] = {
            "put by": self._put,
            "run": self._run,
            "later": self._later,
            "refuse": self._refuse,
        }
        response = actions[step.action.verb](step.action)
        for block in step.all("expect"):
            self._expect(block, response)
        self._check_mails(step)
        for block in step.all("get"):
            self._get(block)

    def _put(self, block: Block) -> Any:
        lines = self._filled_in(block)
        headers = [line.text for line in lines if _HEADER.match(line.text)]
        body = "\n".join(line.text for line in lines[len(headers) :])
        _json(body, block)
        return self.service.post(
            block.subject, dict(header.split(": ", 1) for header in headers), body.encode()
        )

    def _run(self, block: Block) -> None:
        try:
            self.service.run(*block.subject.split())
        except (CommandError, SystemExit) as error:
            block.fail(f"the command fails: {error}")

    def _later(self, _: Block) -> None:
        self.service.deliver_later()

    def _refuse(self, block: Block) -> None:
        address, _, reply = block.subject.partition(" ")
        if address == "nobody":
            self.service.refuse_nobody()
        elif reply:
            self.service.refuse(address, reply)
        else:
            block.fail("with which reply?")

    def _expect(self, block: Block, response: Any) -> None:
        if response is None:
            block.fail("only a call has a response")
        body = response.json()
        if block.subject != str(response.status_code):
            found = json.dumps(body, ensure_ascii=False)
            block.fail(f"the response is {response.status_code} {found}")
        wanted = _json("\n".join(line.text for line in block.lines), block)
        for name, value in wanted.items():
            if not self._is_wanted(body.get(name), value):
                found = json.dumps(body.get(name), ensure_ascii=False)
                block.fail(f'"{name}" of the response is {found}')

    def _is_wanted(self, found: Any, value: Any) -> bool:
        """Whether both are equal; a $name that stands for nothing yet stands for what is found."""
        if isinstance(value, str) and _NAME.fullmatch(value) and found:
            value = self.names.setdefault(value, found)
        return bool(found == value)

    def _filled_in(self, block: Block) -> list[Line]:
        """The lines of a block, with what its $names stand for."""
        for line in block.lines:
            for name in _NAME.findall(line.text):
                if name not in self.names:
                    block.fail(f"{name} stands for nothing yet", line)
        return [
            Line(line.number, _NAME.sub(lambda name: self.names[name[0]], line.text))
            for line in block.lines
        ]

    def _check_mails(self, step: Step) -> None:
        """Each person gets what is listed for them, in that order, and nothing else."""
        listed = _listed(step)
        for address, mail, message in self._new_messages(step):
            if not listed.get(address):
                step.action.fail(f"{address} gets a mail that is not listed: {_summary(message)}")
            block = listed[address].pop(0)
            check_message(message, self._filled_in(block), block)
            ignored = self._calendar(address).receive(mail)
            if ignored:
                block.fail(f"the calendar of {address} ignores this mail: {ignored}")
        for address, blocks in listed.items():
            for block in blocks:
                block.fail(f"{address} gets no such mail")

    def _new_messages(self, step: Step) -> Iterator[tuple[str, bytes, ReceivedMessage]]:
        for addresses, mail in self.service.new_mails():
            try:
                message = read_mail(mail)
            except NotAnInvitation as error:
                step.action.fail(f"the mail to {', '.join(addresses)} is no invitation: {error}")
            for address in addresses:
                yield address, mail, message

    def _get(self, block: Block) -> None:
        address, _, zone = block.subject.partition(" in ")
        found = shown(self._calendar(address), zone) or ["nothing"]
        for line, text in zip(block.lines, found, strict=False):
            if line.text != text:
                block.fail(f"the calendar of {address} shows: {text}", line)
        for line in block.lines[len(found) :]:
            block.fail(f"the calendar of {address} does not show this", line)
        for text in found[len(block.lines) :]:
            block.fail(f"the calendar of {address} shows also: {text}")

    def _calendar(self, address: str) -> Calendar:
        if address not in self.calendars:
            self.calendars[address] = self.new_calendar(address)
        return self.calendars[address]


def _json(text: str, block: Block) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError as error:
        block.fail(f"this is not JSON: {error}")


def _listed(step: Step) -> dict[str, list[Block]]:
    """The mails that the step lists, by recipient."""
    listed: dict[str, list[Block]] = {}
    for block in step.all("mail to"):
        for address in block.subject.split(", "):
            listed.setdefault(address, []).append(block)
    nobody = listed.pop("nobody", [])
    if nobody and listed:
        nobody[0].fail("the step lists mails, too")
    return listed


def _summary(message: ReceivedMessage) -> str:
    """METHOD and what identifies a message, as the conversation would list it."""
    names = ("UID", "SEQUENCE", "RECURRENCE-ID")
    lines = [f"{name}:{line.value}" for name in names for line in message.all(name)]
    return " ".join([f"METHOD:{message.method}", *lines])
