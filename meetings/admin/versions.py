"""The versions of a meeting in words: what each changed, why, and its mails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meetings.itip.message import Changes, PersonText
from meetings.itip.organizer import CUT
from meetings.models import Delivery, Version
from meetings.models.outbox.look import changes_of
from meetings.queries.history import VersionWithDeliveries

_PEOPLE_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A property with its old and its new value as text; one of them may be empty."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class VersionText:
    """A version. ``about`` says which part of a series it is about; it is empty for the whole."""

    version: Version
    about: str
    changes: list[ChangeRow]
    deliveries: list[Delivery]
    has_more: bool


def version_in_words(found: VersionWithDeliveries) -> VersionText:
    """Return a version as it is shown."""
    record = changes_of(found.version.changes)
    return VersionText(
        version=found.version,
        about=_about(record),
        changes=list(_rows(record)),
        deliveries=found.deliveries,
        has_more=found.has_more,
    )


def _about(record: Changes) -> str:
    patterns = {
        "RECURRENCE-ID": _("Only the occurrence of %(start)s"),
        CUT: _("The series ends before its occurrence of %(start)s"),
    }
    for name, pattern in patterns.items():
        if name in record:
            return pattern % {"start": _start(record[name])}
    return ""


def _start(value: object) -> str:
    assert isinstance(value, tuple)  # noqa: S101 (only people are kept in another form)
    # A time of day without its seconds, and a day without its midnight.
    return str(value[1]).removesuffix(":00").removesuffix(" 00:00")


def _rows(record: Changes) -> Iterator[ChangeRow]:
    for name, value in record.items():
        if isinstance(value, tuple):
            if name not in ("RECURRENCE-ID", CUT):
                yield ChangeRow(name, *value)
        else:
            yield from _people(name, value)


def _people(name: str, people: Mapping[str, list[PersonText]]) -> Iterator[ChangeRow]:
    if added := people.get("added"):
        yield ChangeRow(name, "", _listed(added))
    if removed := people.get("removed"):
        yield ChangeRow(name, _listed(removed), "")
    if changed := people.get("changed"):
        yield ChangeRow(name, _listed(changed), _("another name or role"))


def _listed(people: Sequence[PersonText]) -> str:
    lines = [_person(person) for person in people[:_PEOPLE_SHOWN]]
    if hidden := len(people) - len(lines):
        lines.append(
            ngettext("and %(count)s more", "and %(count)s more", hidden) % {"count": hidden}
        )
    return "\n".join(lines)


def _person(person: PersonText) -> str:
    mailbox = f"{person['name']} <{person['address']}>" if person["name"] else person["address"]
    return f"{mailbox} ({person['role']})"
