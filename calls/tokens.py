"""Access tokens for the phone in the browser: what lets one identity be called for an hour, no more.

A token is signed by the API key of its region, never by the auth token, and grants incoming calls only: who
dials out from a desk is called by us first, so a page that was stolen can call nobody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

__all__ = ["EDGES", "NoKey", "PhoneToken", "has_key", "phone"]

LIFE = timedelta(hours=1)
# Where a phone of a region connects; us1 takes what is nearest.
EDGES = {"us1": "roaming", "ie1": "dublin", "au1": "sydney"}


class NoKey(Exception):
    """The site has no API key for the region, so no token can be made."""


@dataclass(frozen=True)
class PhoneToken:
    """A token and what its page needs beside it."""

    token: str
    identity: str
    expires_at: datetime
    region: str
    edge: str


def has_key(region: str) -> bool:
    """Whether tokens can be made for the region."""
    return all((*_key(region), settings.TWILIO_ACCOUNT_SID))


def phone(*, identity: str, region: str, now: datetime) -> PhoneToken:
    """A token by which `client:<identity>` can be called in the region. Raises NoKey."""
    if not has_key(region):
        raise NoKey(region)
    key, secret = _key(region)
    expires_at = now + LIFE
    token = AccessToken(
        settings.TWILIO_ACCOUNT_SID,
        key,
        secret,
        identity=identity,
        grants=[VoiceGrant(incoming_allow=True)],
        nbf=int(now.timestamp()),
        valid_until=int(expires_at.timestamp()),
        region=None if region == "us1" else region,
    )
    return PhoneToken(token.to_jwt(), identity, expires_at, region, EDGES[region])


def _key(region: str) -> tuple[str, str]:
    other = settings.TWILIO_REGIONS.get(region)
    if other:
        return str(other["key"]), str(other["secret"])
    return settings.TWILIO_API_KEY, settings.TWILIO_API_SECRET
