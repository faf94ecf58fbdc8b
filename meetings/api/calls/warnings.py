"""What the protocol notes → the warnings that a caller reads."""

from meetings.itip.message import Note, NoteKind

_SENTENCES = {
    NoteKind.IN_THE_PAST: "This meeting is in the past.",
    NoteKind.ONLY_THE_ORGANIZER: (
        "receiver: nobody but the sender is invited; Exchange and Outlook hide such an invitation."
    ),
    NoteKind.OVERRIDES_DROPPED: (
        "The time or rule is new: occurrences that were changed or cancelled alone are as all"
        " others."
    ),
    NoteKind.EXDATES_DROPPED: (
        "repeat.EXDATE: the series was moved, and no day is left out any more."
    ),
    NoteKind.START_MOVED_TO_RULE: (
        "repeat: the rule is as before, so the series starts at {start:%Y-%m-%d %H:%M}: {rule}."
    ),
    NoteKind.DAY_NOT_IN_EVERY_MONTH: (
        "repeat.BYMONTHDAY: a month without a day {rule.by_month_day} has no occurrence here,"
        " while Outlook shows one on its last day; a day up to 28, or -1 for the last day, is the"
        " same everywhere."
    ),
}


def warning_of(note: Note) -> str:
    """Return the sentence for ``note``, with the field that it is about in front."""
    return _SENTENCES[note.kind].format(start=note.start, rule=note.rule)
