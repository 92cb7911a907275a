#!/usr/bin/env python3
"""Django's command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")
    if sys.argv[1:2] == ["demo"]:  # it has settings of its own, whatever a site's file says
        os.environ["ENV_FILE"] = os.devnull
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
