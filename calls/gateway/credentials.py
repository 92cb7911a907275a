"""Which credentials open which of Twilio's regions, from the settings; one region's open no other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from django.conf import settings

__all__ = ["EDGES", "HOME", "Credentials", "configured", "host", "of", "tokens_by_region"]

HOME: Final = "us1"
# Both are needed: with a region alone Twilio's library builds a host name that no longer exists.
EDGES: Final = {"ie1": "dublin", "au1": "sydney"}


@dataclass(frozen=True, repr=False)
class Credentials:
    """One region's: auth tokens (the current one first, the next one during a rotation) and an API key."""

    tokens: tuple[str, ...]
    key: str
    secret: str

    def logins(self, account: str) -> list[tuple[str, str]]:
        """User and password for REST, in the order to try: an API key alone, else account and token."""
        if self.key and self.secret:
            return [(self.key, self.secret)]
        return [(account, token) for token in self.tokens]


def of(region: str) -> Credentials:
    """The region's credentials; us1 is the plain form of the settings. Empty where none are set."""
    other = settings.TWILIO_REGIONS.get(region)
    if other:
        tokens = cast("list[str]", other["tokens"])
        return Credentials(tuple(tokens), str(other["key"]), str(other["secret"]))
    if region != HOME:
        return Credentials((), "", "")
    return Credentials(
        tuple(settings.TWILIO_AUTH_TOKENS), settings.TWILIO_API_KEY, settings.TWILIO_API_SECRET
    )


def configured() -> list[str]:
    """The regions that we have credentials for, us1 first."""
    regions = (HOME, *settings.TWILIO_REGIONS)
    return [region for region in regions if of(region).logins(settings.TWILIO_ACCOUNT_SID)]


def tokens_by_region() -> Mapping[str, tuple[str, ...]]:
    """The tokens that may have signed, by region; regions without one are left out."""
    found = {region: of(region).tokens for region in (HOME, *settings.TWILIO_REGIONS)}
    return {region: tokens for region, tokens in found.items() if tokens}


def host(region: str) -> str:
    """The name of the region's REST host."""
    edge = EDGES.get(region)
    return f"api.{edge}.{region}.twilio.com" if edge else "api.twilio.com"
