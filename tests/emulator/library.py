"""Twilio's own library, sync and async, so that one test tells its story with both.

`await twilio.create(twilio.client.calls, to=…)` is `client.calls.create(to=…)` or, with the async client,
`client.calls.create_async(to=…)`. Nothing of the library is changed but the base address of its domains.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from tests.emulator.conftest import ACCOUNT_SID, TOKEN

Kind = Literal["sync", "async"]
KINDS: tuple[Kind, ...] = ("sync", "async")
# The parts of the client that have an address of their own; "routes" is where numbers get their region.
DOMAINS = ("api", "routes")


class Library:
    """One client of the library.

    A resource is whatever the library gives: `client.calls`, `client.calls(sid).streams`, a call it fetched.
    """

    def __init__(self, client: Client, kind: Kind) -> None:
        self.client = client
        self.kind = kind

    async def ask(self, resource: Any, verb: str, *values: Any, **given: Any) -> Any:
        """Any method of a resource by its sync name: `page`, `next_page`, `create_with_http_info` …

        Raises what the library raises.
        """
        if self.kind == "async":
            return await getattr(resource, f"{verb}_async")(*values, **given)
        return await asyncio.to_thread(getattr(resource, verb), *values, **given)

    async def create(self, resource: Any, **given: Any) -> Any:
        return await self.ask(resource, "create", **given)

    async def fetch(self, resource: Any, **given: Any) -> Any:
        return await self.ask(resource, "fetch", **given)

    async def update(self, resource: Any, **given: Any) -> Any:
        return await self.ask(resource, "update", **given)

    async def delete(self, resource: Any, **given: Any) -> Any:
        return await self.ask(resource, "delete", **given)

    async def list(self, resource: Any, **given: Any) -> Any:
        return await self.ask(resource, "list", **given)


@asynccontextmanager
async def opened(
    kind: Kind, url: str, *, user: str = ACCOUNT_SID, password: str = TOKEN, account: str = ACCOUNT_SID
) -> AsyncIterator[Library]:
    """A client of the emulator at `url`, closed at the end; `user` and `password` may be an API key."""
    http = AsyncTwilioHttpClient() if kind == "async" else TwilioHttpClient()
    client = Client(user, password, account, http_client=http)
    for domain in DOMAINS:
        getattr(client, domain).base_url = url
    try:
        yield Library(client, kind)
    finally:
        if isinstance(http, AsyncTwilioHttpClient):
            await http.close()
        else:
            http.session.close()
