"""How the mail server stands, as LOOK, the heartbeat and every report of it read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

MOST_HANGS = 3
"""After so many transactions without a reply, one after the other, calls try it no more."""

STATE = """
    json_build_object('hangs', server.hangs, 'busy', server.busy,
        'turned_away', server.turned_away, 'closed_for',
        EXTRACT(EPOCH FROM server.paused_until - statement_timestamp()))
"""
"""A piece of SQL: the columns of ``meetings_mailserver AS server`` that ``state_of`` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """The mail server at one moment. No transaction begins for ``closed_for`` seconds.

    ``hangs`` and ``busy`` count the transactions without a reply, and without room for us, since
    it last took one. ``turned_away`` counts for ever how often a process got no connection because
    others of ours had all that the server bears.
    """

    closed_for: float = 0.0
    hangs: int = 0
    busy: int = 0
    turned_away: int = 0

    @property
    def is_broken(self) -> bool:
        """Whether it hung so often that only a probe may find out if it works again."""
        return self.hangs >= MOST_HANGS

    @property
    def is_closed_to_calls(self) -> bool:
        """Whether a call does not try it. Of a server that hung, no call is to find out."""
        return self.closed_for > 0 or self.is_broken

    @property
    def has_trouble(self) -> bool:
        """Whether it did not take the last mail that it was given."""
        return bool(self.hangs or self.busy)


ALL_WELL = ServerState()


def state_of(found: object) -> ServerState:
    """Return what STATE found; all is well where there is no row."""
    if found is None:
        return ALL_WELL
    row = cast("Mapping[str, float | None]", found)
    return ServerState(
        closed_for=max(0.0, row["closed_for"] or 0.0),
        hangs=int(row["hangs"] or 0),
        busy=int(row["busy"] or 0),
        turned_away=int(row["turned_away"] or 0),
    )
