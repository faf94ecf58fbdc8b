"""Every version as it was stored: its texts and its people. So a leak can be told from news."""

from collections import defaultdict
from collections.abc import Iterable

from meetings.models import Meeting
from tests.machine.ledger import Letter
from tests.machine.stored import Rows


class History:
    """The versions of every meeting, by UID and SEQUENCE."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, Rows]] = defaultdict(dict)

    def note(self) -> None:
        """Take in the versions that were stored since the last time."""
        for meeting in Meeting.objects.order_by("pk"):
            versions = self._versions[meeting.ical_uid]
            if meeting.sequence not in versions:
                versions[meeting.sequence] = Rows.of(meeting)

    def leaks(self, uid: str, address: str, letters: Iterable[Letter]) -> list[str]:
        """Say what somebody read of a meeting that was never in force while it concerned them.

        A version concerns those whom it invites, and those whom the version before invited. A
        CANCEL may also show what came later.
        """
        versions = self._versions[uid]
        concerned = [
            number
            for number, rows in versions.items()
            if address in rows.invited
            or (number - 1 in versions and address in versions[number - 1].invited)
        ]
        if not concerned:
            return [f"{address} read of a meeting to which they were never invited"]
        known = self._shown_in(uid, concerned) | {address}
        later = self._shown_in(uid, (each for each in versions if each >= min(concerned)))
        found = ((each, each.shows - (known if each.is_request else later)) for each in letters)
        return [f"{address} read {sorted(shown)} in {each}" for each, shown in found if shown]

    def _shown_in(self, uid: str, numbers: Iterable[int]) -> set[str]:
        shown: set[str] = set()
        for number in numbers:
            rows = self._versions[uid][number]
            shown |= rows.words | rows.invited | {rows.meeting.organizer_address}
        return shown
