"""One meeting's page below its fields: where it stands with each person, and every version with its mails."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from meetings.models import Attendee, Delivery, Meeting, Revision
from meetings.operations.receipt import newest_deliveries

VERSIONS_SHOWN = 20
MAILS_SHOWN = 50  # of one version; the list of deliveries has the rest


@dataclass(frozen=True, slots=True)
class Person:
    """An attendee, and the deliveries of the newest messages to them of the current version."""

    attendee: Attendee
    deliveries: list[Delivery]


@dataclass(slots=True)
class Version:
    """A revision, and the newest of its deliveries."""

    revision: Revision
    deliveries: list[Delivery] = field(default_factory=list)
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Versions, newest first, and how many older ones are left out."""

    versions: list[Version]
    left_out: int


def people_of(meeting: Meeting) -> list[Person]:
    """Everybody on the list, in its order. Two queries."""
    newest = defaultdict[str, list[Delivery]](list)
    for delivery in newest_deliveries(meeting):
        newest[delivery.address_key].append(delivery)
    return [Person(attendee, newest[attendee.address_key]) for attendee in meeting.attendees.all()]


def history_of(meeting: Meeting, *, most: int | None) -> History:
    """The newest ``most`` versions of the meeting, or all. Two queries."""
    revisions = list(meeting.revisions.order_by("-sequence"))
    shown = [Version(revision) for revision in revisions[:most]]
    by_revision = defaultdict[int, list[Delivery]](list)
    for delivery in _newest_of_each(version.revision for version in shown):
        by_revision[delivery.message.revision_id].append(delivery)
    for version in shown:
        found = by_revision[version.revision.pk]
        version.deliveries, version.has_more = found[:MAILS_SHOWN], len(found) > MAILS_SHOWN
    return History(shown, left_out=len(revisions) - len(shown))


def _newest_of_each(revisions: Iterable[Revision]) -> Iterable[Delivery]:
    """One more than is shown of each revision's deliveries, newest first."""
    place = Window(RowNumber(), partition_by=F("message__revision"), order_by=F("pk").desc())
    return (
        Delivery.objects.filter(message__revision__in=[revision.pk for revision in revisions])
        .annotate(place=place)
        .filter(place__lte=MAILS_SHOWN + 1)
        .select_related("message")
        .defer("message__raw")
        .order_by("-pk")
    )
