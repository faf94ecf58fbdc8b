"""Who was told which version by which mail, as the people's own calendars have it.

The ledger reads what the mail server was given, and nothing of the project's. ``wrong`` has what no
person may ever see.
"""

import email
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email import policy
from email.message import EmailMessage

from tests.machine.stage import Program
from tests.support.readers.calendar_client import CalendarClient, Entry
from tests.support.readers.calendar_kinds import Cyrus, Thunderbird
from tests.support.readers.itip_reader import (
    NotAnInvitation,
    ReceivedMessage,
    Version,
    read_mail,
)

KINDS = (CalendarClient, Cyrus, Thunderbird)
MARK = re.compile(r"Word\d+x")
_ADDRESS = re.compile(r"[a-z]+@example\.(?:com|org|net)")
_FOLD = re.compile(r"\r?\n[ \t]")


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """What one mail says. ``shows`` are the marked texts and the addresses in it."""

    message_id: str
    message: ReceivedMessage
    shows: frozenset[str]

    @property
    def uid(self) -> str:
        """Which meeting it is about."""
        return self.message.one("UID").text

    @property
    def version(self) -> Version:
        """By what calendars know which one is newer."""
        return self.message.version

    @property
    def about(self) -> str:
        """The occurrence that it is about, empty for the whole."""
        found = self.message.find("RECURRENCE-ID")
        return found.value if found else ""

    @property
    def is_request(self) -> bool:
        """Whether it invites."""
        return self.message.method == "REQUEST"

    def __repr__(self) -> str:
        sequence, stamp = self.version
        return f"{self.message.method} {self.about or 'whole'} {sequence} {stamp:%S} {self.uid[:9]}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that the mail server took for somebody. ``by`` is the number of the job that sent it.

    ``acknowledged``: the sender has the server's word.
    """

    letter: Letter
    by: int
    acknowledged: bool


class Ledger:
    """All that people were sent, and what their calendars show."""

    def __init__(self, people: Iterable[str]) -> None:
        self.taken: dict[str, list[Taken]] = {address: [] for address in people}
        self.calendars = {to: [kind(to) for kind in KINDS] for to in self.taken}
        self.wrong: list[str] = []
        # Copies that nobody can help: the sender could not record that it had the server's word.
        self.excused: set[tuple[str, str]] = set()
        # UIDs and addresses to which nothing may leave, because a call was told so.
        self.silent: set[tuple[str, str]] = set()
        self._letters: dict[bytes, Letter] = {}
        self._newest: dict[tuple[str, str], Letter] = {}

    def take(self, to: str, raw: bytes, program: Program, *, acknowledged: bool) -> None:
        """Take a mail into the calendars of ``to``."""
        try:
            letter = self._letters.get(raw) or _read(raw)
        except NotAnInvitation as refusal:
            self.wrong.append(f"{to}: {refusal}")
            return
        self._letters[raw] = letter
        if (letter.uid, to) in self.silent:
            self.wrong.append(f"{to}: {letter} was sent after a result of 0")
        if not program.may_mail:
            self.wrong.append(f"{to}: {letter} left in a pause")
        self._check_order(to, letter)
        self.taken[to].append(Taken(letter, program.number, acknowledged))
        if acknowledged:
            program.in_hand.append((letter.message_id, to))

    @property
    def kinds(self) -> list[str]:
        """The kinds of calendars that everybody has."""
        return [kind.__name__ for kind in KINDS]

    def entries(self, address: str) -> list[set[Entry]]:
        """What each kind of calendar shows to somebody."""
        return [
            {replace(each, people=tuple(sorted(each.people))) for each in calendar.entries()}
            for calendar in self.calendars[address]
        ]

    def of_job(self, number: int) -> list[Letter]:
        """What the job with this number has sent, once for each person."""
        everything = (each for all_taken in self.taken.values() for each in all_taken)
        return [each.letter for each in everything if each.by == number]

    def shown(self) -> dict[tuple[str, str], list[Letter]]:
        """What each person read of each meeting, by uid and address, in order."""
        found: dict[tuple[str, str], list[Letter]] = defaultdict(list)
        for to, all_taken in self.taken.items():
            for each in all_taken:
                found[each.letter.uid, to].append(each.letter)
        return found

    def tally(self) -> Counter[str]:
        """Count what people were sent."""
        every = [(to, each) for to, all_taken in self.taken.items() for each in all_taken]
        ids = {(to, each.letter.message_id) for to, each in every}
        return Counter({"mails": len(ids), "copies of them": len(every) - len(ids)})

    def _check_order(self, to: str, letter: Letter) -> None:
        """One person's messages rise by SEQUENCE and DTSTAMP, or are the last one again."""
        last = self._newest.get((letter.uid, to))
        self._newest[letter.uid, to] = letter
        if last and last.message_id == letter.message_id:
            self._check_copy(to, letter)
        elif last and letter.version <= last.version:
            self.wrong.append(f"{to}: {letter} came after {last}")
        else:
            self._check_reception(to, letter)

    def _check_copy(self, to: str, letter: Letter) -> None:
        before = [each for each in self.taken[to] if each.letter.message_id == letter.message_id]
        is_excused = (letter.message_id, to) in self.excused
        if before[-1].acknowledged and not is_excused:
            self.wrong.append(f"{to}: {letter} came twice without a reason")
        for calendar in self.calendars[to]:
            calendar.apply(letter.message)

    def _check_reception(self, to: str, letter: Letter) -> None:
        for calendar in self.calendars[to]:
            try:
                ignored = calendar.apply(letter.message)
            except NotAnInvitation as refusal:
                ignored = str(refusal)
            if ignored:
                self.wrong.append(f"{to}: {letter} is ignored, because {ignored}")

    def __str__(self) -> str:
        lines = (
            f"  {to}: {each.letter}{'' if each.acknowledged else ' (no reply)'} by {each.by}"
            for to, all_taken in self.taken.items()
            for each in all_taken
        )
        return "\n".join(lines)


def _read(raw: bytes) -> Letter:
    message = read_mail(raw)
    mail = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    texts = [str(mail["Subject"])]
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            texts.append(_FOLD.sub("", content.decode()))
    text = "\n".join(texts)
    shows = frozenset({*MARK.findall(text), *_ADDRESS.findall(text)})
    return Letter(str(mail["Message-ID"]), message, shows)
