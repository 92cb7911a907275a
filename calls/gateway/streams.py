"""Twilio's Stream resource: create and stop. There is no list and no fetch: our rows are the record."""

import re
from collections.abc import Mapping

from calls.gateway.client import GatewayError, ask
from calls.remedies import explain

__all__ = ["NAME", "create", "stop"]

# A name goes into the path of the stop, where the library does not escape it.
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def create(
    *,
    region: str,
    call_sid: str,
    url: str,
    name: str,
    track: str,
    status_callback: str,
    parameters: Mapping[str, str],
) -> str:
    """Open a unidirectional stream on a live call; its StreamSid. Raises GatewayError."""
    numbered: dict[str, str] = {}
    for number, (key, value) in enumerate(parameters.items(), start=1):
        numbered[f"parameter{number}_name"] = key
        numbered[f"parameter{number}_value"] = value
    stream = ask(
        region,
        lambda twilio: twilio.calls(call_sid).streams.create(
            url=url,
            name=name,
            track=track,
            status_callback=status_callback,
            status_callback_method="POST",
            **numbered,
        ),
    )
    if not stream.sid:
        raise GatewayError("answer", permanent=False, unknown=True, text=explain("answer"))
    return str(stream.sid)


def stop(*, region: str, call_sid: str, sid_or_name: str) -> None:
    """Stop a stream; one that has stopped, or whose call has ended, is no error. Raises GatewayError."""
    if not NAME.fullmatch(sid_or_name):
        raise GatewayError("20001", permanent=True, unknown=False, text=explain(20001))
    try:
        ask(region, lambda twilio: twilio.calls(call_sid).streams(sid_or_name).update(status="stopped"))
    except GatewayError as error:
        if error.code != "20404":
            raise
