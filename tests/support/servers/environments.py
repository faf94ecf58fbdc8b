"""The environment of a process that a test starts."""

import os

from django.db import connection

from tests.support.servers.smtp_server import ScriptedSMTP

# What a developer may have set for a Meeting Server of their own. VAR_DIR stays: it is where the
# tests may write.
_SETTINGS = (
    *("ALLOWED_HOSTS", "CONN_MAX_AGE", "CSRF_TRUSTED_ORIGINS", "DATABASE_URL", "DEBUG", "HTTPS"),
    "DISABLE_SERVER_SIDE_CURSORS",
    *("LOG_LEVEL", "PORT", "SECRET_KEY", "WEB_CONCURRENCY", "WORKER_THREADS"),
)
_FAMILIES = ("CELERY_", "DJANGO_", "EMAIL_", "MEETINGS_")


def environment(**settings: str) -> dict[str, str]:
    """Ours, with only these ``settings`` of Meeting Server."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in _SETTINGS and not name.startswith(_FAMILIES)
    }
    return ours | settings


def on_test_database(mail_server: ScriptedSMTP, **settings: str) -> dict[str, str]:
    """Of a process that uses the tests' database and sends through ``mail_server``."""
    params = connection.get_connection_params()
    host = str(params.get("host", ""))
    scheme = "postgres:///" if host.startswith("/") else "postgres://"
    url = f"{scheme}{host}/{params['dbname']}"
    # A URL has no place for both a socket's path and a name. libpq reads the rest from these.
    for name, key in {"PGUSER": "user", "PGPASSWORD": "password", "PGPORT": "port"}.items():
        if params.get(key):
            settings.setdefault(name, str(params[key]))
    return environment(DATABASE_URL=url, EMAIL_URL=mail_server.url) | settings
