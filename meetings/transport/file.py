"""``EMAIL_BACKEND`` without a mail server: each mail is an ``.eml`` file for any mail program."""

import contextlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Writes the exact bytes of each mail, with CRLF, to a file in ``settings.EMAIL_FILE_PATH``.

    A file's name is the time in UTC and a random part, so names sort by time and are unique. A file
    that has its name is complete. Any number of threads and processes may write at once.
    """

    def __init__(self, fail_silently: bool = False, **kwargs: object) -> None:
        super().__init__(fail_silently=fail_silently, **kwargs)
        configured = getattr(settings, "EMAIL_FILE_PATH", None)
        if not configured:
            raise ImproperlyConfigured(
                "EMAIL_FILE_PATH is not set. It is the folder to which mail is written"
            )
        self.folder = Path(configured)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each mail that has a recipient, and return how many were written.

        Raises OSError unless ``fail_silently`` is set.
        """
        return sum(self._written(message) for message in email_messages if message.recipients())

    def _written(self, message: EmailMessage) -> bool:
        raw = message.message().as_bytes(linesep="\r\n")
        try:
            self._write(raw)
        except OSError:
            if not self.fail_silently:
                raise
            return False
        return True

    def _write(self, raw: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z-{uuid.uuid4().hex[:12]}.eml"
        # Hidden until it is complete. Renaming is one step because the folder is the same.
        unfinished = self.folder / f".{name}.part"
        try:
            unfinished.write_bytes(raw)
            unfinished.replace(self.folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
