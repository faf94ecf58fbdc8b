"""``manage.py create_api_key NAME --sender PATTERN``: make an API key.

Standard output has the key and nothing else, so ``KEY=$(manage.py create_api_key …)`` works. All
other text goes to standard error.
"""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from meetings.management.report import refusals_as_command_errors
from meetings.models import ApiKey
from meetings.models.api_key import sender_pattern

_ASSIGNED = ("id", "prefix", "hashed_key", "client")  # fields that assign_key fills


class Command(BaseCommand):
    help = "Makes a client with an API key, and prints the key once. Only its hash is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", metavar="NAME", help="which program it is for; shown in the admin"
        )
        parser.add_argument(
            "--sender",
            metavar="PATTERN",
            action="append",
            required=True,
            type=_pattern,
            help="an address that may be the sender, or a pattern such as '*@example.com';"
            " may be given several times",
        )
        parser.add_argument(
            "--expires", metavar="YYYY-MM-DD", type=_day, help="the last day on which it works"
        )
        parser.add_argument(
            "--respond-async",
            action="store_true",
            help="respond to its calls before the mail is sent, as Prefer: respond-async does for"
            " one call",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        key = ApiKey(
            name=options["name"],
            senders=options["sender"],
            expiry_date=_end(options["expires"]),
            respond_async=options["respond_async"],
        )
        with refusals_as_command_errors():
            secret = _save(key)
        self.stdout.write(secret)
        self.stderr.write(
            f"Key {key.prefix} of {key.name} speaks for {', '.join(key.senders)}. Store it now.",
            self.style.SUCCESS,
        )


@transaction.atomic
def _save(key: ApiKey) -> str:
    """Save the key and its client. Return the secret."""
    try:
        key.full_clean(exclude=_ASSIGNED)
    except ValidationError as error:
        raise CommandError("; ".join(error.messages)) from error
    secret = ApiKey.objects.assign_key(key)
    key.save(force_insert=True)
    return secret


def _pattern(text: str) -> str:
    try:
        return sender_pattern(text)
    except ValidationError as error:
        raise ArgumentTypeError(error.messages[0]) from error


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2027-12-31") from error
    if day < timezone.localdate():
        raise ArgumentTypeError(f"{text} is in the past")
    return day


def _end(day: date | None) -> datetime | None:
    """The end of ``day`` in the server's time zone."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day, time.min)) + timedelta(days=1)
