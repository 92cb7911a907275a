"""Chromium for the tests of this folder."""

from tests.chromium import browser, context, page, sign_in  # noqa: F401  fixtures
