"""Typed settings from the environment: each has a default or fails by name; secrets also as NAME_FILE."""

import os
from pathlib import Path

from environs import Env

__all__ = ["env", "secret", "secrets_list"]

env = Env(eager=False)  # collects every error, so that seal() can name them all at once
env.read_env(os.environ.get("ENV_FILE", str(Path(__file__).resolve().parent.parent / ".env")), recurse=False)


def secret(name: str, default: str = "") -> str:
    """The value of NAME, else the stripped content of the file named by NAME_FILE, else the default.

    Files are stripped because editors end them with a newline, which would break signatures.
    """
    path = os.environ.get(f"{name}_FILE")
    if path and not os.environ.get(name):
        return Path(path).read_text(encoding="utf-8").strip()
    value: str = env.str(name, default=default)
    return (value or "").strip()


def secrets_list(name: str) -> list[str]:
    """A comma-separated secret as a list without blanks: current token first, then the next one."""
    return [part.strip() for part in secret(name).split(",") if part.strip()]
