"""The doors through which things are made to go wrong: `/emulator/faults/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from emulator.doors import reading
from emulator.exchange import Exchange
from emulator.faults import FaultError, checked
from emulator.rest.envelope import EXCHANGE

# What is done to one stream at once, by its id.
DEEDS = frozenset({"drop_stream", "fin_stream", "sever", "replay_stream"})


def routes() -> list[web.RouteDef]:
    """The addresses of this room."""
    return [
        web.get("/emulator/faults/", show),
        web.post("/emulator/faults/", switch),
        web.delete("/emulator/faults/", reset),
    ]


async def show(request: web.Request) -> web.Response:
    """Every switch as it stands for all calls, and under "calls" what differs for single ones."""
    return _shown(request.app[EXCHANGE])


async def reset(request: web.Request) -> web.Response:
    """Switch everything off, for all calls."""
    exchange = request.app[EXCHANGE]
    exchange.faults.reset()
    return _shown(exchange)


async def switch(request: web.Request) -> web.Response:
    """Switch faults, for all calls or with {"call": "CA…"} for one; or do something to a stream now.

    {"reset": true} comes first; "times" is short for fail_rest_times; DEEDS name a stream. A bad request
    changes nothing.
    """
    exchange, given = request.app[EXCHANGE], await reading.body(request)
    call = given.pop("call", "")
    if call and (not isinstance(call, str) or call not in exchange.legs):
        raise reading.refused(web.HTTPNotFound, "no such call")
    deeds = [_deed(exchange, name, given.pop(name)) for name in sorted(DEEDS & given.keys())]
    afresh = given.pop("reset", False) is True
    switches = valid(given)
    if afresh:
        exchange.faults.reset(call)
    apply(exchange, switches, call)
    for deed in deeds:
        deed()
    return _shown(exchange)


def valid(given: Any) -> dict[str, Any]:
    """These switches, all known and of a value that they take. Raises HTTPBadRequest."""
    if not isinstance(given, dict):
        raise reading.refused(web.HTTPBadRequest, "faults must be an object")
    if "times" in given:
        given["fail_rest_times"] = given.pop("times")
    try:
        return {name: checked(name, value) for name, value in given.items()}
    except FaultError as error:
        raise reading.refused(web.HTTPBadRequest, str(error)) from error


def apply(exchange: Exchange, switches: dict[str, Any], call: str = "") -> None:
    """Set these switches, which are valid, for all calls or for one."""
    for name, value in switches.items():
        exchange.faults.set(name, value, call)


def _deed(exchange: Exchange, name: str, sid: Any) -> Callable[[], None]:
    """What is to be done. Raises HTTPNotFound, and HTTPConflict where it cannot be done."""
    stream = exchange.stream(str(sid))
    if stream is None or (name != "replay_stream" and not stream.live):
        raise reading.refused(web.HTTPNotFound, "no such live stream")
    if name == "replay_stream" and not stream.replayable:
        raise reading.refused(web.HTTPConflict, "it never opened, or was replayed too often")
    deeds: dict[str, Callable[[], None]] = {
        "drop_stream": stream.drop,
        "fin_stream": stream.fin,
        "sever": stream.sever,
        "replay_stream": stream.replay,
    }
    return deeds[name]


def _shown(exchange: Exchange) -> web.Response:
    return web.json_response({**exchange.faults.as_dict(), "calls": exchange.faults.calls})
