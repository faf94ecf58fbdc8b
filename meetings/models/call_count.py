"""How many calls each client has made in a window of time, over all processes and machines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from meetings.models.api_key import ApiKey
from meetings.models.client import Client


class CallCount(models.Model):
    """The calls of one client in one window of time.

    The table is UNLOGGED: a crash of PostgreSQL empties it, and no count is needed for long.
    """

    pk = models.CompositePrimaryKey("client", "window_start")
    client = models.ForeignKey(
        Client,
        models.CASCADE,
        verbose_name=_("client"),
        related_name="+",
        db_index=False,  # the primary key begins with it
        db_constraint=False,  # its check would lock the client's row, and that is flushed to disk
    )
    window_start = models.DateTimeField(_("start of the window"))
    count = models.PositiveIntegerField(_("calls"))

    class Meta:
        verbose_name = _("number of calls")
        verbose_name_plural = _("numbers of calls")

    def __str__(self) -> str:
        return f"{self.count}"


@dataclass(frozen=True, slots=True)
class CountedCall:
    """A call: whose it is, and how many calls its client has made in this window, this one too.

    ``api_key`` has the fields that a call needs, and None stands for a call without a key. The
    window ends in ``seconds_left``.
    """

    client: Client
    api_key: ApiKey | None
    count: int
    seconds_left: int


def count_call_with_key(secret: str, *, window: int) -> CountedCall | None:
    """Find the API key ``secret`` and count a call of its client, in windows of so many seconds.

    Return None, and count nothing, for a key that is unknown, revoked or expired. One query.
    """
    prefix, _dot, _rest = secret.partition(".")
    return _count(prefix, ApiKey.objects.key_generator.hash(secret), window)


def count_call_without_key(*, window: int) -> CountedCall:
    """Count a call of the client of calls without a key, as above. One query, but at first."""
    counted = _count(None, None, window)
    if counted is None:
        Client.objects.local()
        counted = _count(None, None, window)
    assert counted is not None  # noqa: S101 (nothing deletes that client)
    return counted


# The caller: at most one row. The hash is compared by PostgreSQL. How long that takes tells nobody
# anything, because a key cannot be guessed from the beginning of its hash.
_WITH_KEY = """
    SELECT client.id AS client_id, client.name AS client_name,
           key.id, key.prefix, key.name, key.senders, key.respond_async, key.revoked
    FROM meetings_apikey AS key JOIN meetings_client AS client ON client.id = key.client_id
    WHERE key.prefix = %(prefix)s AND key.hashed_key = %(hashed_key)s AND NOT key.revoked
      AND (key.expiry_date IS NULL OR key.expiry_date > statement_timestamp())
"""
_WITHOUT_KEY = "SELECT id AS client_id, name FROM meetings_client WHERE is_local"
# Its window, counted from 1970 in UTC by the clock of PostgreSQL, which all machines share.
_WINDOW = "date_bin(make_interval(secs => %(window)s), statement_timestamp(), timestamptz 'epoch')"
# One statement in autocommit mode, so that it works through a pooler that gives each transaction
# another session. It locks one row for as long as it runs, and nothing that it writes is flushed.
_COUNT = """
WITH caller AS MATERIALIZED (<caller>),
counted AS (
    INSERT INTO meetings_callcount AS mine (client_id, window_start, count)
    SELECT client_id, <window>, 1 FROM caller
    ON CONFLICT (client_id, window_start) DO UPDATE SET count = mine.count + 1
    RETURNING window_start, count)
SELECT caller.*, count,
       ceil(extract(epoch FROM window_start - statement_timestamp()) + %(window)s)::int
FROM caller CROSS JOIN counted
""".replace("<window>", _WINDOW)
_COUNT_WITH_KEY = _COUNT.replace("<caller>", _WITH_KEY)
_COUNT_WITHOUT_KEY = _COUNT.replace("<caller>", _WITHOUT_KEY)


def _count(prefix: str | None, hashed_key: str | None, window: int) -> CountedCall | None:
    statement = _COUNT_WITHOUT_KEY if prefix is None else _COUNT_WITH_KEY
    with connection.cursor() as cursor:
        cursor.execute(statement, {"prefix": prefix, "hashed_key": hashed_key, "window": window})
        row = cursor.fetchone()
    if row is None:
        return None
    client_id, client_name, *key, count, seconds_left = row
    client = Client.from_db(connection.alias, _CLIENT, (client_id, client_name, prefix is None))
    api_key = None if prefix is None else _api_key(client, key)
    return CountedCall(client, api_key, count, seconds_left)


_CLIENT = ("id", "name", "is_local")
_KEY_FIELDS = ("id", "prefix", "name", "senders", "respond_async", "revoked")


def _api_key(client: Client, values: Sequence[object]) -> ApiKey:
    """The key with these fields. The others are deferred, so saving it would not empty them."""
    fields = dict(zip(_KEY_FIELDS, values, strict=True))
    fields["senders"] = json.loads(str(fields["senders"]))
    names = [field.name for field in ApiKey._meta.concrete_fields if field.name in fields]
    key = ApiKey.from_db(connection.alias, names, [fields[name] for name in names])
    key.client = client
    return key
