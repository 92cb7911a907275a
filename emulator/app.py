"""The emulator as one HTTP application: Twilio's REST API, and `/emulator/` for whoever drives it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp import web

from emulator.account import Account
from emulator.audio.speech import Voice
from emulator.clock import Clock
from emulator.doors import calls, console, media, pages, people
from emulator.doors import faults as fault_doors
from emulator.doors.keeper import HOST_NAMES, keeper
from emulator.exchange import Exchange
from emulator.media.kept import Shelf
from emulator.people.scripts import Scripts
from emulator.phone import socket as phone_socket
from emulator.regions import PORTS
from emulator.rest import routing
from emulator.rest.envelope import EXCHANGE, guard
from emulator.run import loop, run
from emulator.world import DEFAULT_NUMBER, Addresses, World


def application(
    *,
    account: Account,
    target: str,
    scripts: Scripts,
    clock: Clock,
    seed: int,
    numbers: Sequence[str] = (),
    voice: Voice | None = None,
    keep_audio: bool = False,
    faults: Mapping[str, Any] | None = None,
    addresses: Addresses | None = None,
    host_names: Sequence[str] = (),
) -> web.Application:
    """The emulator as an aiohttp application; its pacing runs while the application does.

    `host_names` are names by which `/emulator/…` may be asked, beside localhost and addresses.
    """
    app = web.Application(middlewares=[keeper, guard], client_max_size=1 << 20)
    app[PORTS] = {}
    app[HOST_NAMES] = frozenset(host_names)
    for room in (routing, calls, people, media, fault_doors, console, pages, phone_socket):
        app.add_routes(room.routes())
    app.on_shutdown.append(phone_socket.say_goodbye)

    async def life(app: web.Application) -> AsyncIterator[None]:
        # A connection of its own for each webhook: none can go stale between two.
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
        ) as http:
            world = World(account, clock, target, seed, numbers or [DEFAULT_NUMBER], addresses)
            exchange = Exchange(world, scripts, http, run, loop, voice, Shelf() if keep_audio else None)
            app[EXCHANGE] = exchange
            fault_doors.apply(exchange, dict(faults or {}))
            pacing = asyncio.create_task(exchange.pacer.run())
            yield
            pacing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pacing
            await exchange.close()

    app.cleanup_ctx.append(life)
    return app
