"""The HTTP doors: Twilio's REST API, and `/emulator/` for whoever drives the emulator."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp import web
from msgspec import to_builtins

from emulator import console, fault_doors, media_doors, pages, people, phone_socket, truth
from emulator.account import Account
from emulator.clock import Clock
from emulator.doors import HOST_NAMES, keeper
from emulator.exchange import Exchange
from emulator.kept import Shelf
from emulator.reading import bad as _bad
from emulator.reading import body as _body
from emulator.reading import text as _text
from emulator.regions import PORTS
from emulator.rest import routing
from emulator.rest.envelope import EXCHANGE, guard
from emulator.run import loop, run
from emulator.script_files import read
from emulator.scripts import Script, ScriptError, Scripts
from emulator.speech import Voice
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
    app.add_routes([*routing.routes(), *_own_routes()])
    app.add_routes([*media_doors.routes(), *fault_doors.routes()])
    app.add_routes([*pages.routes(), *console.routes(), *people.routes(), *phone_socket.routes()])
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


def _own_routes() -> list[web.RouteDef]:
    return [
        web.get("/emulator/", health),
        web.get("/emulator/log/", show_log),
        web.get("/emulator/scripts/", show_scripts),
        web.post("/emulator/calls/", place_call),
        web.post("/emulator/calls/{call}/hangup/", hang_up),
        web.post("/emulator/calls/{call}/press/", press),
    ]


async def health(request: web.Request) -> web.Response:
    """That it runs, for whom, and how punctually; for people the console."""
    if pages.wanted(request):
        return pages.console()
    exchange = request.app[EXCHANGE]
    live = [leg for leg in exchange.legs.values() if leg.call.live]
    return web.json_response(
        {
            "ok": True,
            "account_sid": exchange.world.account.sid,
            "target": exchange.world.target,
            "seed": exchange.world.seed,
            "calls_live": len(live),
            "streams_live": sum(len(leg.live_streams()) for leg in live),
            "late_p99_ms": exchange.pacer.late_p99_ms(),
            "faults": exchange.faults.as_dict(),
        }
    )


async def show_log(request: web.Request) -> web.Response:
    """The truth log; `?call=CA…` narrows it to one call and the legs that it dialled."""
    whole = truth.log(request.app[EXCHANGE])
    if sid := request.query.get("call"):
        whole["calls"] = [c for c in whole["calls"] if sid in {c["call_sid"], c["parent_call_sid"]}]
    return web.json_response(whole)


async def show_scripts(request: web.Request) -> web.Response:
    """Every script, in the order of rotation."""
    scripts = request.app[EXCHANGE].scripts
    return web.json_response({"scripts": [to_builtins(script) for script in scripts.by_name.values()]})


async def place_call(request: web.Request) -> web.Response:
    """A caller calls a number → 201 {"call_sid", "script"}.

    {"from", "to", "script"?, "caller_name"?, "params"?, "faults"?}: `script` is a name, or a script itself
    with the keys of a file; the faults are of this call alone.
    """
    given = await _body(request)
    params = given.get("params") or {}
    if not isinstance(params, dict):
        raise _bad("params must be an object")
    exchange, faults = request.app[EXCHANGE], fault_doors.valid(given.get("faults") or {})
    try:
        leg = exchange.incoming(
            _text(given, "from"),
            _text(given, "to"),
            script=_script(given.get("script"), exchange),
            caller_name=_text(given, "caller_name", ""),
            params={str(name): str(value) for name, value in params.items()},
        )
    except ScriptError as error:
        raise _bad(str(error)) from error
    fault_doors.apply(exchange, faults, leg.call.sid)
    return web.json_response({"call_sid": leg.call.sid, "script": leg.call.script}, status=201)


async def hang_up(request: web.Request) -> web.Response:
    """The party of this leg hangs up; harmless when the call is over."""
    leg = _leg(request)
    leg.hang_up()
    return web.json_response({"call_sid": leg.call.sid, "status": leg.call.status})


async def press(request: web.Request) -> web.Response:
    """The party of this leg presses keys: {"digits"}."""
    leg, given = _leg(request), await _body(request)
    for digit in _text(given, "digits"):
        leg.press(digit)
    return web.json_response({"call_sid": leg.call.sid})


def _script(given: Any, exchange: Exchange) -> str | Script | None:
    """A script by name or written out; None takes the next in rotation. Raises ScriptError."""
    if isinstance(given, dict):
        return read({"name": "inline", **given}, exchange.scripts.library)
    if given is not None and not isinstance(given, str):
        raise ScriptError("script must be a name or an object")
    return given or None


def _leg(request: web.Request) -> Any:
    leg = request.app[EXCHANGE].legs.get(request.match_info["call"])
    if leg is None:
        raise web.HTTPNotFound(text=json.dumps({"error": "no such call"}))
    return leg
