"""The application: meetings, their rules, their rows, their mail."""

from zoneinfo import reset_tzpath

# Zones have the laws of the tzdata package that requirements.txt pins, on every machine, and not
# those of whatever the operating system brought: a series is stored as wall-clock times and mailed
# with a VTIMEZONE (interop Z8).
reset_tzpath(to=())
