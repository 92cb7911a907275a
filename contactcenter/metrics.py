"""/metrics: this process's counters in Prometheus's text form, for METRICS_TOKEN or the machine itself."""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, ProcessCollector, generate_latest

from calls.counters import REGISTRY, denied

__all__ = ["metrics"]

ProcessCollector(registry=REGISTRY)  # CPU, memory and open files of this process
# A proxy or a tunnel speaks from loopback for anyone in the world, and says so by one of these.
_PROXIED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_PROTO")


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, or 403: without METRICS_TOKEN only an unproxied request from loopback is let in."""
    if not (_has_token(request) or _is_local(request)):
        denied("metrics.denied")
        return HttpResponse(status=403)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given.encode(), expected.encode())


def _is_local(request: HttpRequest) -> bool:
    if any(name in request.META for name in _PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
