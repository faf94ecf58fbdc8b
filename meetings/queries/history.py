"""The history of one meeting: its attendees with their newest mail, and its versions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from meetings.models import Attendee, Delivery, Meeting, Version
from meetings.queries.standing import newest_deliveries

VERSIONS_SHOWN = 20
DELIVERIES_SHOWN = 50  # of one version; the list of deliveries has the rest


@dataclass(frozen=True, slots=True)
class Person:
    """An attendee, and the deliveries of their newest mail of the current version."""

    attendee: Attendee
    deliveries: list[Delivery]


@dataclass(frozen=True, slots=True)
class VersionWithDeliveries:
    """A version and its newest deliveries."""

    version: Version
    deliveries: list[Delivery]
    has_more: bool


@dataclass(frozen=True, slots=True)
class History:
    """Versions, newest first, and the number of older ones that are not shown."""

    versions: list[VersionWithDeliveries]
    left_out: int


def people_of(meeting: Meeting) -> list[Person]:
    """All attendees in the order of the list. Two queries."""
    newest = defaultdict[str, list[Delivery]](list)
    for delivery in newest_deliveries(meeting):
        newest[delivery.address_key].append(delivery)
    return [Person(attendee, newest[attendee.address_key]) for attendee in meeting.attendees.all()]


def history_of(meeting: Meeting, *, most: int | None) -> History:
    """The newest ``most`` versions of the meeting, or all. Two queries."""
    versions = list(meeting.versions.order_by("-sequence"))
    shown = versions[:most]
    by_version = defaultdict[int, list[Delivery]](list)
    for delivery in _newest_of_each(shown):
        by_version[delivery.mail.version_id].append(delivery)
    return History(
        [_with_deliveries(version, by_version[version.pk]) for version in shown],
        left_out=len(versions) - len(shown),
    )


def _with_deliveries(version: Version, deliveries: list[Delivery]) -> VersionWithDeliveries:
    return VersionWithDeliveries(
        version,
        deliveries[:DELIVERIES_SHOWN],
        has_more=len(deliveries) > DELIVERIES_SHOWN,
    )


def _newest_of_each(versions: Iterable[Version]) -> Iterable[Delivery]:
    """The newest deliveries of each version: one more than is shown, to know if there are more."""
    place = Window(RowNumber(), partition_by=F("mail__version"), order_by=F("pk").desc())
    return (
        Delivery.objects.filter(mail__version__in=[version.pk for version in versions])
        .annotate(place=place)
        .filter(place__lte=DELIVERIES_SHOWN + 1)
        .select_related("mail")
        .defer("mail__raw")
        .order_by("-pk")
    )
