"""Process-local counters for /metrics; counting never fails and never waits."""

from prometheus_client import CollectorRegistry, Counter, Gauge

__all__ = ["REGISTRY", "count", "denied", "gauge"]

REGISTRY = CollectorRegistry()
_DENIED = Counter(
    "cc_denied", "Refused requests, sockets and messages, by event", ["event"], registry=REGISTRY
)
_COUNTS = Counter("cc_events", "Things that happened, by event", ["event"], registry=REGISTRY)
_GAUGES = Gauge("cc_state", "Present figures of this process, by name", ["name"], registry=REGISTRY)


def denied(event: str) -> None:
    """Count one refusal; `event` is the name of its log line, from a fixed list, never foreign text."""
    _DENIED.labels(event).inc()


def count(event: str, amount: float = 1) -> None:
    """Count something that happened; `event` is a fixed name."""
    _COUNTS.labels(event).inc(amount)


def gauge(name: str, value: float) -> None:
    """Set a present figure, such as streams open in this process."""
    _GAUGES.labels(name).set(value)
