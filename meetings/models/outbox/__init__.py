"""The sending path: every write to a delivery's state, and to what a person was told.

Three statements, each one round trip and a transaction of its own:

- LOOK reads a meeting, its people with what they were told, and their open deliveries, all as of
  one moment (``look``);
- STORE writes a version, people, mails and their deliveries, but only if nobody has planned since
  that look: ``plan`` is compared and raised (``store``);
- RECORD writes what became of one SMTP transaction, but only for deliveries that are still this
  sender's (``record``).

Nothing is queued as bytes. The queue is ``Meeting.due_at``, and CLAIM takes meetings off it
(``queue``)::

                            STORE                    RECORD
     (planned) ──────────────────────▶ sending ─────────────────▶ sent
                                       │  ▲  │                     refused
                          RECORD       │  │  └─────────────────▶ dropped   (a message before it
                  ┌────────────────────┘  │                                 did not arrive, or
                  ▼         STORE         │                                 it is given up)
          deferred, unknown ──────────────┘
                  │         the same mail again: same bytes, attempt + 1
                  │         STORE
                  └───────────────────────────────────────────▶ dropped   (planned anew)

A delivery whose sender is dead counts as ``unknown``. A person with an open delivery (sending,
deferred, unknown) gets no other mail of the meeting before it is closed, so the order of each
person's mails holds.

All statements take locks in one order: meeting, deliveries, attendees, told occurrences. Times are
PostgreSQL's.
"""
