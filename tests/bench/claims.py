"""Workers that claim meetings and record outcomes, without the mail between the two."""

import threading
import time
from dataclasses import dataclass

from django.db import connection

from meetings.models import Delivery, DeliveryState, Meeting
from meetings.models.outbox import queue
from meetings.models.outbox.record import End, Sending, record
from meetings.operations.work import BATCH
from tests.support.cast import BOB
from tests.support.stories import send

# Copies of a meeting for one person, whose mail is just being sent.
_COPY = """
WITH number AS (SELECT 1000000 + generate_series(1, %(count)s) AS id),
meeting AS (
    INSERT INTO meetings_meeting
    SELECT copy.* FROM meetings_meeting AS original, number, json_populate_record(original,
        json_build_object('id', number.id, 'uid', number.id, 'ical_uid', number.id,
        'due_at', now())) AS copy
    WHERE original.id = %(meeting)s),
person AS (
    INSERT INTO meetings_attendee
    SELECT copy.* FROM meetings_attendee AS original, number, json_populate_record(original,
        json_build_object('id', number.id, 'meeting_id', number.id)) AS copy),
mail AS (
    INSERT INTO meetings_mail
    SELECT copy.* FROM meetings_mail AS original, number, json_populate_record(original,
        json_build_object('id', number.id, 'meeting_id', number.id)) AS copy)
INSERT INTO meetings_delivery
SELECT copy.* FROM meetings_delivery AS original, number, json_populate_record(original,
    json_build_object('id', number.id, 'meeting_id', number.id, 'mail_id', number.id,
    'attendee_id', number.id, 'state', 'sending', 'sender_id', %(sender)s::bigint)) AS copy
"""
COUNT = 4_000


@dataclass(slots=True)
class Found:
    """Meetings a second, and the share of claims that found nothing although there was work."""

    rate: float
    empty: float


class Worker(threading.Thread):
    """Claims and records until all of ``left`` are claimed."""

    def __init__(self, sender: int, left: list[int]) -> None:
        super().__init__()
        self.sender = sender
        self.left = left  # one entry for each meeting that nobody has claimed
        self.claims = self.empty = self.in_vain = 0

    def run(self) -> None:
        """Until nothing is left."""
        try:
            while self.left:
                self._claim()
        finally:
            connection.close()

    def _claim(self) -> None:
        claimed = queue.claim(BATCH)
        del self.left[: len(claimed)]
        if not claimed:
            self.in_vain += 1
            return
        # In vain although there was work: there was some later. At the end there is none.
        self.empty += self.in_vain
        self.claims += self.in_vain + 1
        self.in_vain = 0
        for meeting_id in claimed:
            end = End(
                delivery_id=meeting_id,
                attempt=1,
                state=DeliveryState.SENT,
                reply="250 2.0.0 queued",
            )
            assert record(Sending(meeting_id, 1, self.sender), [end])


def claim_and_record(workers: int) -> Found:
    """Let so many workers work off meetings of one person each."""
    sender, left = _filled(), list(range(COUNT))
    threads = [Worker(sender, left) for _ in range(workers)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    assert not Delivery.objects.filter(state=DeliveryState.SENDING).exists()
    claims = sum(thread.claims for thread in threads)
    return Found(rate=COUNT / seconds, empty=sum(thread.empty for thread in threads) / claims)


def _filled() -> int:
    """Fill the tables anew, and return the sender that has all mails in hand."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE meetings_meeting, meetings_mail CASCADE")
        cursor.execute("TRUNCATE meetings_mailbytes, meetings_delivery")
        send(attendees=(BOB,))
        sender = queue.begin_sending("bench", "here")
        cursor.execute(
            _COPY, {"meeting": Meeting.objects.get().pk, "count": COUNT, "sender": sender}
        )
        cursor.execute("VACUUM ANALYZE")
    return sender
