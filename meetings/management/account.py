"""Who runs a command."""

from getpass import getuser


def account() -> str:
    """Return the account's name, for the record."""
    try:
        return getuser()
    except (KeyError, OSError):  # in a container, an account may have a number and no name
        return "an unnamed account"
