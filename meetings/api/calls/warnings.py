"""What the protocol notes → the warnings that a caller reads."""

from meetings.itip.message import Note, NoteKind

_SENTENCES = {
    NoteKind.IN_THE_PAST: "This meeting is in the past.",
    NoteKind.OCCURRENCE_IN_THE_PAST: "This occurrence is in the past.",
    NoteKind.ONLY_THE_ORGANIZER: (
        "receiver: only the sender is invited. Exchange and Outlook hide such an invitation."
    ),
    NoteKind.OVERRIDES_DROPPED: (
        "The time or the rule is new, so changes and cancellations of single occurrences are void."
    ),
    NoteKind.OVERRIDES_EXCLUDED: (
        "repeat.EXDATE: these occurrences were changed alone. They are left out now, and their"
        " changes are dropped: {occurrences}."
    ),
    NoteKind.EXDATES_DROPPED: (
        "repeat.EXDATE: the series has a new time, so no day is excluded any more."
    ),
    NoteKind.START_MOVED_TO_RULE: (
        "repeat: the rule is unchanged, so the series starts at {start:%Y-%m-%d %H:%M}: {rule}."
    ),
    NoteKind.DAY_NOT_IN_EVERY_MONTH: (
        "repeat.BYMONTHDAY: a month without a day {rule.by_month_day} has no occurrence here, but"
        " Outlook shows one on its last day. A day up to 28, or -1 for the last day, is the same"
        " everywhere."
    ),
    NoteKind.ZONE_NOT_EXPRESSIBLE: (
        "timezone: the law of this zone has changed, and a calendar cannot represent it for the"
        " whole series. From {start:%Y-%m-%d} on, calendars may show a wrong time. End the series"
        " before that day and start a new one."
    ),
    NoteKind.PEOPLE_REMOVED: "receiver: this removes {people}.",
}


def warning_of(note: Note) -> str:
    """Return the sentence for ``note``, with the field that it is about in front."""
    people = ", ".join(person.address for person in note.people)
    occurrences = ", ".join(f"{when:%Y-%m-%d}" for when in note.occurrences)
    return _SENTENCES[note.kind].format(
        start=note.start, rule=note.rule, people=people, occurrences=occurrences
    )
