"""A full outbox: very many deliveries, four to a mail, nearly all of them sent."""

from django.db import connection

ROWS = 200_000

# Other tables stay empty, so the keys to them must go. The end of the transaction restores them.
_WITHOUT_FOREIGN_KEYS = """
DO $$ DECLARE key record; BEGIN
    FOR key IN SELECT conname, conrelid::regclass AS of_table FROM pg_constraint
               WHERE conrelid IN ('meetings_delivery'::regclass, 'meetings_mail'::regclass)
                 AND contype = 'f'
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.of_table, key.conname); END LOOP;
END $$
"""
# One in twenty waits for its next try, as after an hour without a mail server. One in ten thousand
# is being sent.
_FILL = """
INSERT INTO meetings_delivery (mail_id, meeting_id, address, address_key, state, attempt,
                               due_at, lease_until, expires_at, may_have_left, last_reply)
SELECT 1 + n / 4, 1 + n / 4, person, person, state, 1,
       now() + CASE state WHEN 'queued' THEN interval '1 hour' ELSE interval '-1 day' END,
       CASE state WHEN 'sending' THEN now() + interval '1 minute' END,
       now() + interval '1 day', false, '250 2.0.0 queued'
FROM generate_series(0, %(rows)s - 1) AS n,
     LATERAL (SELECT 'person-' || n %% 4 || '@example.org' AS person,
                     CASE WHEN n %% 20 = 0 THEN 'queued' WHEN n %% 10000 = 1 THEN 'sending'
                          ELSE 'sent' END AS state)
     AS made
"""
_FILL_MESSAGES = """
INSERT INTO meetings_mail (id, version_id, method, message_id, dtstamp, subject, envelope_from)
SELECT n, n, 'REQUEST', '<' || n || '@example.com>', now(), '', ''
FROM generate_series(1, %(rows)s / 4) AS n
"""


def fill() -> None:
    """Fill the outbox within the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_FOREIGN_KEYS)
        cursor.execute(_FILL, {"rows": ROWS})
        cursor.execute(_FILL_MESSAGES, {"rows": ROWS})
        cursor.execute("ANALYZE meetings_delivery, meetings_mail")
