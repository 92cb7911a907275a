"""Twilio's Routes v2: the region in which the incoming calls of a number are processed.

The route is one for the whole account and is kept in us1, whatever region it names; a change takes up to five
minutes at Twilio, in which calls still come by the old one.
"""

from calls.gateway.client import GatewayError, ask
from calls.gateway.credentials import HOME

__all__ = ["inbound_region", "set_inbound_region"]


def inbound_region(*, e164: str) -> str:
    """Where the number's calls are processed; us1 while nobody has chosen. Raises GatewayError."""
    try:
        route = ask(HOME, lambda twilio: twilio.routes.v2.phone_numbers(e164).fetch())
    except GatewayError as error:
        if error.code == "20404":
            return HOME
        raise
    return str(route.voice_region or HOME)


def set_inbound_region(*, e164: str, region: str) -> str:
    """Let them be processed in this region; the region that Twilio says then. Raises GatewayError."""
    route = ask(HOME, lambda twilio: twilio.routes.v2.phone_numbers(e164).update(voice_region=region))
    return str(route.voice_region or HOME)
