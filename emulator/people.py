"""Who answers where: scripts put at addresses by `/emulator/people/`."""

from __future__ import annotations

from aiohttp import web

from emulator import reading
from emulator.rest.envelope import EXCHANGE
from emulator.scripts import ScriptError

MAX_PEOPLE = 1000


def routes() -> list[web.RouteDef]:
    """The addresses of this door."""
    return [web.get("/emulator/people/", show), web.post("/emulator/people/", put)]


async def show(request: web.Request) -> web.Response:
    """{"people": {address: script}}: who answers there whatever the caller's script says."""
    return web.json_response({"people": request.app[EXCHANGE].people})


async def put(request: web.Request) -> web.Response:
    """{"to", "script"}: the callee of that script answers at `to` from now on; null takes it away again."""
    exchange, given = request.app[EXCHANGE], await reading.body(request)
    to = reading.text(given, "to")
    script = reading.text(given, "script", "")
    if not to:
        raise reading.bad("to must be a number or client:<identity>")
    if not script:
        exchange.people.pop(to, None)
        return await show(request)
    if exchange.softphones.knows(to):
        raise reading.refused(web.HTTPConflict, f"{to} is a browser's: it was registered in this run")
    if to not in exchange.people and len(exchange.people) >= MAX_PEOPLE:
        raise reading.bad(f"at most {MAX_PEOPLE} people")
    try:
        exchange.people[to] = exchange.scripts.choose(script).name
    except ScriptError as error:
        raise reading.bad(str(error)) from error
    return await show(request)
