"""Planned messages → mails with their octets."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.conf import settings

from meetings.imip.compose import MailOptions, compose
from meetings.itip.event import Event
from meetings.itip.readers import Planned
from meetings.models.outbox.plan import NewMail


def compose_all(event: Event, messages: Iterable[Planned], options: MailOptions) -> list[NewMail]:
    """Return the mails of the planned messages, in the same order.

    Where the meeting has no mail yet, the later ones refer to the first.
    """
    mails: list[NewMail] = []
    for planned in messages:
        composed = compose(planned.message, options)
        options = replace(options, thread=options.thread or composed.message_id)
        mails.append(
            NewMail(
                planned=planned,
                raw=composed.raw,
                message_id=composed.message_id,
                subject=composed.subject,
                envelope_from=settings.MEETINGS_ENVELOPE_FROM or event.organizer.address,
            )
        )
    return mails


def mail_options(language: str, thread: str, date: datetime) -> MailOptions:
    """Return what the settings and a meeting say of its mails; ``date`` is aware."""
    return MailOptions(
        language=language,
        domain=settings.MEETINGS_MESSAGE_ID_DOMAIN,
        date=date,
        thread=thread,
        attach_calendar=settings.MEETINGS_ATTACH_CALENDAR,
    )
