"""Messages with their frozen bytes, and the outbox: one Delivery per message and recipient.

A row is claimed in a short statement, its message is sent outside any transaction, and the outcome
is recorded in another short statement. Time is PostgreSQL's (clocks of machines may differ), and
``attempt`` is the fencing token: who was overtaken while sending records nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db import connection, models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from meetings.models.mail import Mail
from meetings.models.meeting import Meeting


class DeliveryState(models.TextChoices):
    """Where one mail to one person stands. ``failed`` stays until somebody asks for another try."""

    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    SUPERSEDED = "superseded", _("superseded")


LIVE = (DeliveryState.QUEUED, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send to ``address`` until the lease ends. ``attempt`` proves it."""

    delivery_id: int
    attempt: int
    address: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a claim: its next state and the mail server's last words.

    ``retry_after`` is in seconds, for ``queued``; past the delivery's ``expires_at`` it becomes
    ``failed``. ``may_have_left`` marks an end that leaves open whether the recipient has the mail.
    ``given_up`` marks a ``failed`` that only ends a call: where another call was promised the
    delivery meanwhile, it is ``queued`` instead.
    """

    claim: Claim
    state: DeliveryState
    reply: str
    retry_after: float = 0.0
    may_have_left: bool = False
    given_up: bool = False


# What is no longer to be sent ends here instead of being claimed: a newer message to the same
# person covers it (one about a single occurrence does not), or its deadline has passed. A row that
# fell due after its deadline was asked for nevertheless (a meeting that is over, an operator's "try
# again"), and gets its attempt.
_CLAIM = """
WITH next AS MATERIALIZED (
    SELECT candidate.id,
           CASE WHEN EXISTS (
                    SELECT FROM meetings_delivery AS newer
                    JOIN meetings_mail AS its ON its.id = newer.mail_id
                    WHERE newer.meeting_id = candidate.meeting_id
                      AND newer.address_key = candidate.address_key AND newer.id > candidate.id
                      AND newer.state IN ('queued', 'sending') AND its.whole)
                THEN 'superseded'
                WHEN candidate.expires_at < statement_timestamp()
                 AND candidate.due_at <= candidate.expires_at
                THEN 'failed'
                ELSE 'sending' END AS state
    FROM meetings_delivery AS candidate
    WHERE candidate.mail_id = %(mail)s
      AND ((candidate.state = 'queued' AND candidate.due_at <= statement_timestamp())
        OR (candidate.state = 'sending' AND candidate.lease_until < statement_timestamp()))
      AND NOT EXISTS (
        SELECT FROM meetings_delivery AS older
        WHERE older.meeting_id = candidate.meeting_id AND older.address_key = candidate.address_key
          AND older.id < candidate.id AND older.state IN ('queued', 'sending'))
    ORDER BY candidate.id FOR UPDATE OF candidate SKIP LOCKED)
UPDATE meetings_delivery AS mine
SET state = next.state,
    attempt = mine.attempt + (next.state = 'sending')::int,
    lease_until = CASE WHEN next.state = 'sending'
                       THEN statement_timestamp() + make_interval(secs => %(lease)s) END,
    may_have_left = mine.may_have_left OR mine.state = 'sending',
    finished_at = CASE WHEN next.state = 'sending' THEN mine.finished_at
                       ELSE statement_timestamp() END,
    last_reply = CASE WHEN next.state = 'failed' AND mine.last_reply = ''
                      THEN 'not sent before its deadline' ELSE mine.last_reply END
FROM next
WHERE mine.id = next.id
RETURNING mine.id, mine.attempt, mine.address, mine.state
"""

# The rows are locked in order, as those who store a newer version lock them.
_FINISH = """
WITH held AS MATERIALIZED (
    SELECT id FROM meetings_delivery WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE)
UPDATE meetings_delivery AS mine
SET state = CASE WHEN verdict.state = 'queued' AND EXISTS (
                        SELECT FROM meetings_delivery AS newer
                        JOIN meetings_mail AS its ON its.id = newer.mail_id
                        WHERE newer.meeting_id = mine.meeting_id
                          AND newer.address_key = mine.address_key AND newer.id > mine.id
                          AND newer.state IN ('queued', 'sending') AND its.whole)
                 THEN 'superseded'
                 WHEN verdict.given_up AND mine.promised THEN 'queued'
                 WHEN verdict.retry_after > 0
                  AND statement_timestamp() + make_interval(secs => verdict.retry_after)
                      > mine.expires_at
                 THEN 'failed' ELSE verdict.state END,
    last_reply = verdict.reply, lease_until = NULL,
    due_at = statement_timestamp() + make_interval(secs => verdict.retry_after),
    may_have_left = mine.may_have_left OR verdict.may_have_left,
    finished_at = statement_timestamp()
FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(states)s::text[], %(replies)s::text[],
            %(retry_after)s::float[], %(may_have_left)s::bool[], %(given_up)s::bool[])
     AS verdict (id, attempt, state, reply, retry_after, may_have_left, given_up)
JOIN held ON held.id = verdict.id
WHERE mine.id = verdict.id AND mine.attempt = verdict.attempt AND mine.state = 'sending'
"""

_DUE = """
SELECT mail_id FROM (
    (SELECT mail_id, due_at AS since FROM meetings_delivery AS candidate
     WHERE state = 'queued' AND due_at <= statement_timestamp() AND NOT EXISTS (
        SELECT FROM meetings_delivery AS older
        WHERE older.meeting_id = candidate.meeting_id AND older.address_key = candidate.address_key
          AND older.id < candidate.id AND older.state IN ('queued', 'sending'))
     ORDER BY due_at LIMIT %(limit)s)
    UNION ALL
    (SELECT mail_id, lease_until FROM meetings_delivery AS candidate
     WHERE state = 'sending' AND lease_until < statement_timestamp() AND NOT EXISTS (
        SELECT FROM meetings_delivery AS older
        WHERE older.meeting_id = candidate.meeting_id AND older.address_key = candidate.address_key
          AND older.id < candidate.id AND older.state IN ('queued', 'sending'))
     ORDER BY lease_until LIMIT %(limit)s)) AS due
GROUP BY mail_id
ORDER BY min(since), mail_id
"""


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The outbox's verbs."""

    def claim(self, mail_id: int, *, lease: float) -> list[Claim]:
        """Claim what is due of the mail for ``lease`` seconds, before any byte is sent.

        Due is what is queued for now or earlier, or was claimed by somebody whose lease ran out,
        and has no older live delivery of the same meeting to the same person: a CANCEL cannot
        overtake its REQUEST.
        """
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, {"mail": mail_id, "lease": lease})
            return [
                Claim(*row) for *row, state in cursor.fetchall() if state == DeliveryState.SENDING
            ]

    def due_mails(self, limit: int) -> list[int]:
        """The ids of messages of which something can be claimed now, those that wait longest first.

        Looks at ``limit`` queued deliveries and as many whose lease ran out. What an older delivery
        holds up is left out, so that it takes nobody's place.
        """
        with connection.cursor() as cursor:
            cursor.execute(_DUE, {"limit": limit})
            return [mail for (mail,) in cursor.fetchall()]

    def finish(self, verdicts: Sequence[Verdict]) -> int:
        """Record the verdicts of claims that still hold; returns how many did."""
        columns: dict[str, list[Any]] = {
            "ids": [verdict.claim.delivery_id for verdict in verdicts],
            "attempts": [verdict.claim.attempt for verdict in verdicts],
            "states": [verdict.state.value for verdict in verdicts],
            "replies": [verdict.reply for verdict in verdicts],
            "retry_after": [verdict.retry_after for verdict in verdicts],
            "may_have_left": [verdict.may_have_left for verdict in verdicts],
            "given_up": [verdict.given_up for verdict in verdicts],
        }
        with connection.cursor() as cursor:
            cursor.execute(_FINISH, columns)
            return int(cursor.rowcount)

    def in_hand(self) -> Self:
        """Those that are being sent, or could be now."""
        due = models.Q(state=DeliveryState.QUEUED, due_at__lte=Now())
        return self.filter(models.Q(state=DeliveryState.SENDING) | due)

    def requeue(self) -> int:
        """Have these tried again at once, unless a newer delivery has overtaken them.

        Returns how many were.
        """
        newer = Delivery.objects.filter(
            meeting=models.OuterRef("meeting"),
            address_key=models.OuterRef("address_key"),
            pk__gt=models.OuterRef("pk"),
            mail__whole=True,
        )
        return self.filter(~models.Exists(newer)).update(state=DeliveryState.QUEUED, due_at=Now())

    def give_up_queued(self) -> int:
        """Fail what is still queued and promised to no other call.

        The caller is told that nothing goes out.
        """
        waiting = self.filter(state=DeliveryState.QUEUED, promised=False)
        return waiting.update(state=DeliveryState.FAILED, finished_at=Now())

    def supersede_queued(self) -> int:
        """Drop what is still queued: a newer message covers it. Returns how many rows were."""
        return self.filter(state=DeliveryState.QUEUED).update(
            state=DeliveryState.SUPERSEDED, finished_at=Now()
        )


class Delivery(models.Model):
    """One message to one recipient."""

    mail = models.ForeignKey(
        Mail, models.CASCADE, verbose_name=_("mail"), related_name="deliveries"
    )
    meeting = models.ForeignKey(
        Meeting, models.CASCADE, verbose_name=_("meeting"), related_name="deliveries"
    )
    address = models.CharField(_("recipient"), max_length=320)
    address_key = models.CharField(_("address to compare"), max_length=320)
    state = models.CharField(
        _("state"), max_length=10, choices=DeliveryState, default=DeliveryState.QUEUED
    )
    attempt = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), db_default=Now())
    lease_until = models.DateTimeField(_("claimed until"), null=True)
    expires_at = models.DateTimeField(
        _("deadline"), help_text=_("There is no further attempt after this instant.")
    )
    may_have_left = models.BooleanField(
        _("outcome unknown"),
        default=False,
        help_text=_("An attempt ended without a reply of the mail server."),
    )
    promised = models.BooleanField(
        _("promised"),
        default=False,
        db_default=False,
        help_text=_("A call was told that it is queued while another call was sending it."),
    )
    last_reply = models.TextField(_("the mail server's last reply"), blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    finished_at = models.DateTimeField(
        _("finished"), null=True, help_text=_("End of the newest attempt.")
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="delivery_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=DeliveryState.SENDING)
                | models.Q(lease_until__isnull=False),
                name="sending_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state=DeliveryState.QUEUED),
                name="delivery_due",
            ),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state=DeliveryState.SENDING),
                name="delivery_leased",
            ),
            models.Index(
                fields=["meeting", "address_key"],
                condition=models.Q(state__in=LIVE),
                name="delivery_live",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.get_state_display()}"
