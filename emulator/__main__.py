"""`python -m emulator`: says what is missing, then runs the program."""

from __future__ import annotations

import sys

NEEDED = ("aiohttp", "msgspec", "twilio", "audioop")


def main() -> int:
    """The exit code of the program; 1 where a package that it needs is not installed."""
    try:
        from emulator.program import main as program
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        packages = "aiohttp msgspec twilio 'audioop-lts; python_version >= \"3.13\"'"
        sys.stderr.write(f"emulator: {error.name} is not installed: pip install {packages}\n")
        return 1
    return program()


if __name__ == "__main__":
    sys.exit(main())
