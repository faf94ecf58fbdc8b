"""What a process of the web server or of Celery looks at before it begins to work."""

from meetings.checks import settings_that_cannot_work


def wrong_settings() -> str:
    """Return what ``manage.py check`` says of settings that cannot work, or nothing.

    Commands look by themselves. gunicorn never does, and Celery does not mind what it finds.
    """
    return "\n".join(f"{wrong.msg} {wrong.hint}" for wrong in settings_that_cannot_work())
