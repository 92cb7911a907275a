"""What a capture says to the open questions: one function each, "" where it says nothing."""

from __future__ import annotations

from collections.abc import Callable

from emulator.capture import socketevidence, webfacts
from emulator.capture.facts import told
from emulator.capture.reel import Reel
from emulator.capture.restfacts import CALL, CALLS, STREAMS, answered, code, failed, resource


def create_status(reel: Reel) -> str:
    """The status of a created stream."""
    return told(code(a).partition("/")[0] for a in answered(reel, STREAMS) if not failed(a))


def refusals(reel: Reel) -> str:
    """How streams were refused."""
    one = STREAMS.replace(".json", "/")
    asked = [a for a in reel.rest if resource(a) == STREAMS or resource(a).startswith(one)]
    return told(code(a) for a in asked if failed(a))


def redirect_number(reel: Reel) -> str:
    """How updates of calls were refused."""
    return told(code(a) for a in answered(reel, CALL) if failed(a))


def call_parameters(reel: Reel) -> str:
    """How new calls were refused."""
    return told(code(a) for a in answered(reel, CALLS) if failed(a))


# signatures


def socket_slash(reel: Reel) -> str:
    """Whether a slash was added to the signed text, where the path has none."""
    words = {"added": "yes", "given": "no"}
    checked = [s.handshake.signed for s in reel.sockets if not s.handshake.path.endswith("/")]
    return told(words.get(one.slash, one.slash) for one in checked if one and one.state == "valid")


def socket_port(reel: Reel) -> str:
    """What of the port was signed."""
    checked = [s.handshake.signed for s in reel.sockets]
    return told(f"{one.port} ({one.scheme})" for one in checked if one and one.port not in {"", "none"})


def relay_query(reel: Reel) -> str:
    """What of the query was signed."""
    checked = [s.handshake.signed for s in reel.sockets if s.handshake.query]
    return told(one.query for one in checked if one and one.state == "valid")


def socket_shared_key(reel: Reel) -> str:
    """The algorithm that a handshake names."""
    headers = [header for socket in reel.sockets for header in socket.handshake.headers]
    named = [value for name, value in headers if name.lower() == "x-twilio-webhooks-signature-settings"]
    return told(f"yes, {value or 'named'}" for value in named)


EVIDENCE: dict[str, Callable[[Reel], str]] = {
    "dtmf-letters": socketevidence.dtmf_letters,
    "chunk-numbering": socketevidence.chunks,
    "missing-frame": socketevidence.missing_frame,
    "first-media": socketevidence.first_media,
    "both-tracks-count": socketevidence.both_tracks,
    "refusals": refusals,
    "connect-timeout": socketevidence.connect_timeout,
    "close-code": socketevidence.close_code,
    "server-ping": socketevidence.server_ping,
    "server-close": socketevidence.server_close,
    "connect-action": webfacts.connect_action,
    "reject-status": webfacts.reject_status,
    "abandoned-status": webfacts.abandoned_status,
    "dial-action-hangup": webfacts.dial_action,
    "stream-error-fields": webfacts.stream_error_fields,
    "stopped-after-error": webfacts.stopped_after_error,
    "create-status": create_status,
    "redirect-number": redirect_number,
    "call-parameters": call_parameters,
    "withheld-number": webfacts.withheld_number,
    "idempotency-token": webfacts.idempotency,
    "relay-query": relay_query,
    "socket-slash": socket_slash,
    "socket-port": socket_port,
    "socket-shared-key": socket_shared_key,
    "partial-fields": webfacts.partial_fields,
}
"""The functions by the id of their question."""
