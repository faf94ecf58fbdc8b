"""Django's settings. All are read from the environment, and docs/configuration.md lists them.

System checks (meetings/checks.py) report values that cannot work.
"""

import os
from pathlib import Path
from urllib.parse import urlparse
from zoneinfo import available_timezones

from django.core.management.utils import get_random_secret_key

import meetings  # noqa: F401 - it pins the laws of the zones
from meeting_server.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# Everything that this server writes: the embedded database, mail files, the generated secret key.
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()


def _secret_key(path: Path) -> str:
    """The key stored in ``path``. It is made at the first start, so no setting is necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(get_random_secret_key() + "\n")
    except FileExistsError:
        pass
    return path.read_text().strip()


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or _secret_key(VAR_DIR / "secret-key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_api_key",
    "meetings",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "meeting_server.urls"
WSGI_APPLICATION = "meeting_server.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Without DATABASE_URL the first connection starts an embedded PostgreSQL below VAR_DIR.
DATABASE_URL = env.str("DATABASE_URL", default="")
EMBEDDED = {"ENGINE": "meeting_server.database", "NAME": "meeting_server"}
DATABASES = {"default": env.db_url("DATABASE_URL") if DATABASE_URL else EMBEDDED}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    # For a pooler that gives a connection to somebody else after each transaction.
    "DISABLE_SERVER_SIDE_CURSORS": env.bool("DISABLE_SERVER_SIDE_CURSORS", default=False),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without EMAIL_URL each mail becomes a file in VAR_DIR/mail.
EMAIL_URL = env.str("EMAIL_URL", default="")
_email = env.email_url("EMAIL_URL") if EMAIL_URL else {}
EMAIL_BACKEND = _email.get("EMAIL_BACKEND", "meetings.transport.file.EmailBackend")
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default=EMAIL_BACKEND)
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
# smtps:// means TLS from the first byte (RFC 8314 §3), but the library reads it as STARTTLS, which
# is smtp+tls://.
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False) or EMAIL_URL.startswith("smtps:")
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False) and not EMAIL_USE_SSL
EMAIL_PORT = _email.get("EMAIL_PORT") or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_FILE_PATH = (
    urlparse(EMAIL_URL).path if EMAIL_URL.startswith("filemail:") else str(VAR_DIR / "mail")
)
# Seconds to wait for each reply of the mail server before the final dot of a mail.
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=30.0)

LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
# The zone of a time that names none: an IANA name. A system check reports an unknown one.
MEETINGS_TIME_ZONE = env.str("MEETINGS_TIME_ZONE", default="Asia/Shanghai")
TIME_ZONE = MEETINGS_TIME_ZONE if MEETINGS_TIME_ZONE in available_timezones() else "UTC"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# The language of a mail if the call's Accept-Language names none of them: en or zh-hans.
MEETINGS_LANGUAGE = env.str("MEETINGS_LANGUAGE", default="zh-hans")
# The SMTP envelope sender (MAIL FROM). If empty, it is the meeting's sender.
MEETINGS_ENVELOPE_FROM = env.str("MEETINGS_ENVELOPE_FROM", default="")
# The domain after the @ of each Message-ID.
MEETINGS_MESSAGE_ID_DOMAIN = env.str("MEETINGS_MESSAGE_ID_DOMAIN", default="meeting-server.invalid")
# Whether mails also have the calendar as an attachment, invite.ics.
MEETINGS_ATTACH_CALENDAR = env.bool("MEETINGS_ATTACH_CALENDAR", default=False)
# Seconds that a call may take for mailing. Recipients left then are answered as queued.
MEETINGS_TIME_BUDGET = env.float("MEETINGS_TIME_BUDGET", default=10.0)
# Seconds that one SMTP transaction may take until its final dot, and then until the reply to that
# (RFC 5321 §4.5.3.2.6).
MEETINGS_SMTP_DEADLINE = env.float("MEETINGS_SMTP_DEADLINE", default=300.0)
MEETINGS_SMTP_LAST_REPLY = env.float("MEETINGS_SMTP_LAST_REPLY", default=600.0)
# The most connections of each process to mail servers. With 0, the thread of a call sends its mail.
MEETINGS_SMTP_CONNECTIONS = env.int("MEETINGS_SMTP_CONNECTIONS", default=8)
# The name in EHLO. If empty, it is the name of this machine.
MEETINGS_EHLO_NAME = env.str("MEETINGS_EHLO_NAME", default="")
# The most recipients of one SMTP transaction. A server has to take 100 (RFC 5321 §4.5.3.1.8).
MEETINGS_SMTP_RECIPIENTS = env.int("MEETINGS_SMTP_RECIPIENTS", default=100)
# Seconds after which a sending process counts as dead, unless it has said again that it lives. What
# it had in hand is then taken over.
MEETINGS_LEASE = env.float("MEETINGS_LEASE", default=30.0)
# Seconds between tries: after the first, the second and so on. The last one is used from then on.
MEETINGS_BACK_OFF = env.list(
    "MEETINGS_BACK_OFF", cast=float, default=[30.0, 120.0, 600.0, 1800.0, 3600.0]
)
# The part of such a pause by which it may be shorter or longer, so that not all try at once.
MEETINGS_JITTER = env.float("MEETINGS_JITTER", default=0.1)
# Mails a minute, in all processes together; 0 for any number.
MEETINGS_SMTP_RATE = env.float("MEETINGS_SMTP_RATE", default=0.0)
# Seconds that a mail which is being transmitted has to end when its process is told to end.
MEETINGS_STOP_TIMEOUT = env.float("MEETINGS_STOP_TIMEOUT", default=25.0)
# Calls of one process that wait for mail. It has 16 threads; the others answer at once.
MEETINGS_WAITING_CALLS = env.int("MEETINGS_WAITING_CALLS", default=12)
# Changed occurrences that a series may have ahead. Each is a mail to everybody.
MEETINGS_MAX_CHANGED_OCCURRENCES = env.int("MEETINGS_MAX_CHANGED_OCCURRENCES", default=100)
# Days until the bytes of mails are deleted, or 0 for never. Who got what and when always stays.
MEETINGS_KEEP_BYTES_DAYS = env.int("MEETINGS_KEEP_BYTES_DAYS", default=90)
# The most bytes of a request's body, and the most people of one meeting.
MEETINGS_MAX_BODY = env.int("MEETINGS_MAX_BODY", default=1024 * 1024)
MEETINGS_MAX_ATTENDEES = env.int("MEETINGS_MAX_ATTENDEES", default=1000)
# Seconds in which a request has to arrive, however it drips.
MEETINGS_BODY_TIMEOUT = env.float("MEETINGS_BODY_TIMEOUT", default=20.0)
# The most calls of each client, in all processes together.
MEETINGS_RATE = env.str("MEETINGS_RATE", default="600/min")
# Whether calls from this machine need no key. It is for a developer's machine only.
MEETINGS_LOOPBACK_WITHOUT_KEY = env.bool("MEETINGS_LOOPBACK_WITHOUT_KEY", default=False)

# With a RabbitMQ, amqp://…, Celery's workers deliver in the background, on any number of machines.
# Without one, "manage.py deliver_mail" does.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_TASK_DEFAULT_QUEUE", default="meetings")
# The function that tells the workers of new mail. meetings/operations/steps/wake.py calls it.
MEETINGS_WAKE = "meetings.operations.steps.publisher.publish" if CELERY_BROKER_URL else ""
# A task that a broker's restart loses is found again, in the database.
CELERY_TASK_DEFAULT_DELIVERY_MODE = "transient"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_POOL = "threads"  # a task waits for the mail server most of its time
CELERY_WORKER_CONCURRENCY = env.int("WORKER_THREADS", default=8)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Its queue has the name of the host, so that a second worker there could not start.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}
CELERY_BROKER_CONNECTION_TIMEOUT = 2.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker without limit
# Tasks on one database connection. Connecting for each task would take most of its time.
CELERY_DB_REUSE_MAX = 1000
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # in memory: no file to keep
# The broker drops a sweep that no worker took in time, because the next one follows. "expiration"
# is by the broker's clock, where "expires" would be by the worker's.
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "meetings.tasks.sweep", "schedule": 5.0, "options": {"expiration": 15.0}},
    "drop what is old": {
        "task": "meetings.tasks.drop_old",
        "schedule": 3600.0,
        "options": {"expiration": 3600.0},
    },
}

# A form in chunks says that it is one byte longer than that: see wsgi.py.
DATA_UPLOAD_MAX_MEMORY_SIZE = MEETINGS_MAX_BODY + 1

# A deployment behind TLS sets HTTPS=on, and its proxy sends X-Forwarded-Proto.
HTTPS = env.bool("HTTPS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["meetings.api.renderers.SafeJSONRenderer"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "EXCEPTION_HANDLER": "meetings.api.errors.response_for",
    "UNAUTHENTICATED_USER": None,
}

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"advice": {"()": "meeting_server.database.errors.AdviceForTraceback"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["advice"]},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # These write some lines for each task, so at least one every five seconds.
    "loggers": {
        name: {"level": "DEBUG" if LOG_LEVEL == "DEBUG" else "WARNING"}
        for name in ("celery.app.trace", "celery.beat", "celery.worker.strategy")
    },
}
