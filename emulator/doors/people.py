"""Who answers where: scripts put at addresses by `/emulator/people/`."""

from __future__ import annotations

from aiohttp import web

from emulator.doors import reading
from emulator.people.scripts import ScriptError
from emulator.rest.envelope import EXCHANGE

MAX_PEOPLE = 1000


def routes() -> list[web.RouteDef]:
    """The addresses of this door."""
    return [web.get("/emulator/people/", show), web.post("/emulator/people/", put)]


async def show(request: web.Request) -> web.Response:
    """{"people": {address: script}}: who answers there whatever the caller's script says."""
    people = request.app[EXCHANGE].people.items()
    return web.json_response({"people": {to: s if isinstance(s, str) else s.name for to, s in people}})


async def put(request: web.Request) -> web.Response:
    """{"to", "script"}: the callee of that script answers at `to` from now on; null takes it away again.

    `script` is a name, or a script itself with the keys of a file.
    """
    exchange, given = request.app[EXCHANGE], await reading.body(request)
    to = reading.text(given, "to")
    if not to:
        raise reading.bad("to must be a number or client:<identity>")
    try:
        script = reading.script(given.get("script"), exchange.scripts)
    except ScriptError as error:
        raise reading.bad(str(error)) from error
    if script is None:
        exchange.people.pop(to, None)
        return await show(request)
    if exchange.softphones.knows(to):
        raise reading.refused(web.HTTPConflict, f"{to} is a browser's: it was registered in this run")
    if to not in exchange.people and len(exchange.people) >= MAX_PEOPLE:
        raise reading.bad(f"at most {MAX_PEOPLE} people")
    exchange.people[to] = script
    return await show(request)
