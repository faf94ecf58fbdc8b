#!/usr/bin/env python
"""The command line of Meeting Server."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
    from meeting_server.command_line import CommandLine

    CommandLine(sys.argv).execute()
