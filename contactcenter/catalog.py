"""`/jsi18n/`: the words of the scripts in the reader's language; before sign-in too."""

import secrets

from django.http import HttpRequest
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag
from django.views.i18n import JavaScriptCatalog

__all__ = ["catalog"]

CACHED_SECONDS = 300
_start = secrets.token_hex(4)  # what the next process has read may be translated anew


def _version(request: HttpRequest) -> str:
    return f'"{get_language()}-{_start}"'


catalog = cache_control(private=True, max_age=CACHED_SECONDS)(
    etag(_version)(JavaScriptCatalog.as_view(packages=["calls", "streams", "contactcenter"]))
)
