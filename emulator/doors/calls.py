"""The doors for whoever drives the emulator: calls, what people do in them, the log, the scripts, health."""

from __future__ import annotations

import re

from aiohttp import web
from msgspec import to_builtins

from emulator import truth
from emulator.doors import faults, pages, reading
from emulator.leg import Leg
from emulator.people.scripts import ScriptError
from emulator.rest.envelope import EXCHANGE

KNOWN = frozenset({"from", "to", "script", "caller_name", "params", "faults"})
KEYS = re.compile(r"[0-9*#A-D]{1,64}")


def routes() -> list[web.RouteDef]:
    """The addresses of this room."""
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
        if sid not in request.app[EXCHANGE].legs:
            raise reading.refused(web.HTTPNotFound, "no such call")
        whole["rest"] = [asked for asked in whole["rest"] if sid in asked["path"]]
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
    given = await reading.body(request)
    if strange := sorted(given.keys() - KNOWN):
        raise reading.bad(f"unknown: {', '.join(strange)}; known: {', '.join(sorted(KNOWN))}")
    params = given.get("params") or {}
    if not isinstance(params, dict):
        raise reading.bad("params must be an object")
    exchange, wrong = request.app[EXCHANGE], faults.valid(given.get("faults") or {})
    try:
        leg = exchange.incoming(
            reading.given(given, "from", empty=True),
            reading.given(given, "to"),
            script=reading.script(given.get("script"), exchange.scripts),
            caller_name=reading.text(given, "caller_name", ""),
            params={str(name): str(value) for name, value in params.items()},
        )
    except ScriptError as error:
        raise reading.bad(str(error)) from error
    faults.apply(exchange, wrong, leg.call.sid)
    return web.json_response({"call_sid": leg.call.sid, "script": leg.call.script}, status=201)


async def hang_up(request: web.Request) -> web.Response:
    """The party of this leg hangs up; harmless when the call is over."""
    leg = _leg(request)
    leg.hang_up()
    return web.json_response({"call_sid": leg.call.sid, "status": leg.call.status})


async def press(request: web.Request) -> web.Response:
    """The party of this leg presses keys: {"digits"}."""
    leg, given = _leg(request), await reading.body(request)
    digits = reading.text(given, "digits")
    if not KEYS.fullmatch(digits):
        raise reading.bad("digits must be 1 to 64 of 0-9 * # A-D")
    for digit in digits:
        leg.press(digit)
    return web.json_response({"call_sid": leg.call.sid})


def _leg(request: web.Request) -> Leg:
    leg = request.app[EXCHANGE].legs.get(request.match_info["call"])
    if leg is None:
        raise reading.refused(web.HTTPNotFound, "no such call")
    return leg
