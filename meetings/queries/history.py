"""One meeting's page below its fields: where it stands with each person, and every version with its
mails.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from meetings.models import Attendee, Delivery, Meeting, Version
from meetings.queries.standing import newest_deliveries

VERSIONS_SHOWN = 20
MAILS_SHOWN = 50  # of one version; the list of deliveries has the rest


@dataclass(frozen=True, slots=True)
class Person:
    """An attendee, and the deliveries of the newest messages to them of the current version."""

    attendee: Attendee
    deliveries: list[Delivery]


@dataclass(slots=True)
class VersionWithMails:
    """A version, and the newest of its deliveries."""

    version: Version
    deliveries: list[Delivery] = field(default_factory=list)
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Versions, newest first, and how many older ones are left out."""

    versions: list[VersionWithMails]
    left_out: int


def people_of(meeting: Meeting) -> list[Person]:
    """Everybody on the list, in its order. Two queries."""
    newest = defaultdict[str, list[Delivery]](list)
    for delivery in newest_deliveries(meeting):
        newest[delivery.address_key].append(delivery)
    return [Person(attendee, newest[attendee.address_key]) for attendee in meeting.attendees.all()]


def history_of(meeting: Meeting, *, most: int | None) -> History:
    """The newest ``most`` versions of the meeting, or all. Two queries."""
    versions = list(meeting.versions.order_by("-sequence"))
    shown = [VersionWithMails(version) for version in versions[:most]]
    by_version = defaultdict[int, list[Delivery]](list)
    for delivery in _newest_of_each(version.version for version in shown):
        by_version[delivery.mail.version_id].append(delivery)
    for version in shown:
        found = by_version[version.version.pk]
        version.deliveries, version.has_more = found[:MAILS_SHOWN], len(found) > MAILS_SHOWN
    return History(shown, left_out=len(versions) - len(shown))


def _newest_of_each(versions: Iterable[Version]) -> Iterable[Delivery]:
    """One more than is shown of each version's deliveries, newest first."""
    place = Window(RowNumber(), partition_by=F("mail__version"), order_by=F("pk").desc())
    return (
        Delivery.objects.filter(mail__version__in=[version.pk for version in versions])
        .annotate(place=place)
        .filter(place__lte=MAILS_SHOWN + 1)
        .select_related("mail")
        .defer("mail__raw")
        .order_by("-pk")
    )
