"""The history of one meeting: its versions, each with its mails to each person."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from meetings.models import Delivery, Meeting, Version

VERSIONS_SHOWN = 20
DELIVERIES_SHOWN = 50  # of one version; the list of deliveries has the rest


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


def history_of(meeting: Meeting, *, most: int | None) -> History:
    """Return the newest ``most`` versions of the meeting, or all. Two queries."""
    versions = list(meeting.versions.order_by("-sequence"))
    shown = versions[:most]
    by_sequence = defaultdict[int, list[Delivery]](list)
    for delivery in _newest_of_each(meeting, shown):
        by_sequence[delivery.mail.sequence].append(delivery)
    return History(
        [_with_deliveries(version, by_sequence[version.sequence]) for version in shown],
        left_out=len(versions) - len(shown),
    )


def _with_deliveries(version: Version, deliveries: list[Delivery]) -> VersionWithDeliveries:
    return VersionWithDeliveries(
        version,
        deliveries[:DELIVERIES_SHOWN],
        has_more=len(deliveries) > DELIVERIES_SHOWN,
    )


def _newest_of_each(meeting: Meeting, versions: Iterable[Version]) -> Iterable[Delivery]:
    """The newest deliveries of each version: one more than is shown, to know if there are more."""
    place = Window(RowNumber(), partition_by=F("mail__sequence"), order_by=F("pk").desc())
    sequences = [version.sequence for version in versions]
    return (
        Delivery.objects.filter(mail__meeting=meeting, mail__sequence__in=sequences)
        .annotate(place=place)
        .filter(place__lte=DELIVERIES_SHOWN + 1)
        .select_related("mail", "attendee")
        .order_by("-pk")
    )
