"""One account: who may use the REST API and whose token signs, in each of Twilio's regions."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

HOME = "us1"
# Twilio's region -> its edge; api.<edge>.<region>.twilio.com is the region's host.
EDGES = {HOME: "ashburn", "ie1": "dublin", "au1": "sydney"}


@dataclass
class Credentials:
    """What opens one region: the auth token, and API keys as SK id -> secret."""

    auth_token: str
    api_keys: dict[str, str] = field(default_factory=dict)

    def open(self, account_sid: str, user: str, password: str) -> bool:
        """Whether these Basic credentials are the account's in this region."""
        secret = self.auth_token if user == account_sid else self.api_keys.get(user)
        return secret is not None and hmac.compare_digest(secret.encode(), password.encode())


@dataclass
class Account:
    """The account; `auth_token` and `api_keys` are those of us1, `elsewhere` holds the other regions'."""

    sid: str
    auth_token: str
    api_keys: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, Credentials] = field(default_factory=dict)

    def knows(self, user: str, password: str, region: str = HOME) -> bool:
        """Whether these Basic credentials open this region: one region's are worth nothing in another."""
        credentials = self.credentials(region)
        return credentials is not None and credentials.open(self.sid, user, password)

    def token(self, region: str) -> str:
        """The auth token that signs what comes from calls of this region."""
        credentials = self.credentials(region)
        return credentials.auth_token if credentials is not None else self.auth_token

    def credentials(self, region: str) -> Credentials | None:
        """The region's credentials, None where the account has none."""
        if region == HOME:
            return Credentials(self.auth_token, self.api_keys)
        return self.elsewhere.get(region)


def region_of(host: str) -> str | None:
    """The region that a Host header names, None when it names none of Twilio's.

    `api.twilio.com` is us1, `api.dublin.ie1.twilio.com` ie1. The form without an edge (`api.ie1.twilio.com`)
    was switched off in April 2026 and is no host any more.
    """
    name = host.partition(":")[0].lower()
    labels = name.removesuffix(".twilio.com").split(".")
    if not name.endswith(".twilio.com") or len(labels) not in {1, 3}:
        return None
    return HOME if len(labels) == 1 else labels[2] if labels[2] in EDGES else None
