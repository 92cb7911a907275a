"""The product's settings for tests: a known environment, nothing of the person who runs them.

Loaded before any other module of the product, so what stands here is what `contactcenter.settings` reads.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tools.names import settings_names

_directory = tempfile.mkdtemp(prefix="contactcenter-tests-")
Path(_directory, "static").mkdir()  # where collectstatic would put files
atexit.register(shutil.rmtree, _directory, ignore_errors=True)

for _name in settings_names():
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)

os.environ.update(
    ENV_FILE=os.devnull,
    DATA_DIR=_directory,
    SECRET_KEY="for tests only, and long enough to be no subject of a warning",
    PUBLIC_URL="https://calls.example.com",
    TWILIO_ACCOUNT_SID="AC" + "a" * 32,
    TWILIO_AUTH_TOKEN="first-token,next-token",
    TRANSCRIBER="none",
    LOG_FORMAT="json",
)

from contactcenter.settings import *  # noqa: E402, F403  after the environment is known

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick logins
