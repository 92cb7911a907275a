"""`--place`: a call that somebody pays for is not lost to one bad answer, and does not go on unheard."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from emulator.capture import calling, take
from emulator.capture.calling import PlacingError, UnendedError, Wish, place
from emulator.capture.watch import Limits
from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN

CALL = "CA" + "ab" * 16
WISH = Wish(ACCOUNT_SID, TOKEN, ALICE, OFFICE, "https://cc.example.org/voice/")


class Api:
    """Twilio's API with answers that are given beforehand, a status of HTTP or a body; the last one stays."""

    def __init__(self) -> None:
        self.created: Any = {"sid": CALL, "status": "queued"}
        self.told: list[Any] = [{"sid": CALL, "status": "in-progress"}]
        self.asked = 0
        self.posted: list[dict[str, str]] = []
        self.slow = asyncio.Event()
        self.slow.set()
        app = web.Application()
        app.router.add_post("/2010-04-01/Accounts/{account}/Calls.json", self._create)
        app.router.add_get(f"/2010-04-01/Accounts/{{account}}/Calls/{CALL}.json", self._tell)
        app.router.add_post(f"/2010-04-01/Accounts/{{account}}/Calls/{CALL}.json", self._update)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def _create(self, request: web.Request) -> web.Response:
        await self.slow.wait()
        return said(self.created)

    async def _tell(self, request: web.Request) -> web.Response:
        self.asked += 1
        return said(self.told.pop(0) if len(self.told) > 1 else self.told[0])

    async def _update(self, request: web.Request) -> web.Response:
        self.posted.append({name: str(value) for name, value in (await request.post()).items()})
        if len(self.posted) == 2:
            self.told = [{"sid": CALL, "status": "completed"}]
        return said(503 if len(self.posted) == 1 else {"sid": CALL, "status": "in-progress"})


def said(what: Any) -> web.Response:
    return web.Response(status=what, text="no") if isinstance(what, int) else web.json_response(what)


async def until(true: Callable[[], object]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


@pytest.fixture
async def api(monkeypatch) -> AsyncIterator[Api]:
    monkeypatch.setattr(calling, "ASK_EVERY_S", 0.02)
    made = Api()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.mark.parametrize("bad", [503, 404, ["no object"], {"code": 20500}])
async def test_a_poll_that_fails_does_not_end_the_call(api: Api, bad: Any) -> None:
    api.told = [bad, {"sid": CALL, "status": "in-progress"}, bad, {"sid": CALL, "status": "busy"}]
    assert await place(api.url, WISH) == "busy"


async def test_a_poll_without_an_answer_does_not_end_the_call(api: Api, monkeypatch) -> None:
    placing = asyncio.ensure_future(place(api.url, WISH))
    await until(lambda: api.asked)
    port = api.server.port
    await api.server.close()
    await asyncio.sleep(0.1)
    assert not placing.done()
    again = Api()
    again.told = [{"sid": CALL, "status": "completed"}]
    again.server.port = port
    await again.server.start_server()
    assert await placing == "completed"
    await again.server.close()


@pytest.mark.parametrize(
    ("created", "why"),
    [
        (503, "the API answered 503"),
        (["no object"], "the API cannot be used: ValueError"),
        ({"status": "queued"}, "the API cannot be used: ValueError"),
    ],
)
async def test_a_call_that_is_not_made_is_told(api: Api, created: Any, why: str) -> None:
    api.created = created
    with pytest.raises(PlacingError, match=f"^{why}$"):
        await place(api.url, WISH)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (21211, "the API answered 400 with number 21211"),
        ("call +31612345678", "the API answered 400"),
        (True, "the API answered 400"),
        (31612345678, "the API answered 400"),
        (None, "the API answered 400"),
    ],
)
async def test_of_a_refusal_only_twilios_number_is_quoted(api: Api, monkeypatch, code: Any, why: str) -> None:
    monkeypatch.setattr(
        "tests.emulator.capture.test_placing.said", lambda what: web.json_response(what, status=400)
    )
    api.created = {"code": code}
    with pytest.raises(PlacingError) as refused:
        await place(api.url, WISH)
    assert str(refused.value) == why


async def stopped(placing: asyncio.Future[str]) -> None:
    placing.cancel()
    assert isinstance((await asyncio.gather(placing, return_exceptions=True))[0], asyncio.CancelledError)


async def test_who_stops_does_not_pay_for_the_rest_of_the_call(api: Api) -> None:
    placing = asyncio.ensure_future(place(api.url, WISH))
    await until(lambda: api.asked)
    await stopped(placing)
    # The first was answered with 503; after the second the call was over.
    assert api.posted == [{"Status": "completed"}, {"Status": "completed"}]


async def test_a_call_that_is_being_made_when_one_stops_is_ended_too(api: Api) -> None:
    api.slow.clear()
    placing = asyncio.ensure_future(place(api.url, WISH))
    await asyncio.sleep(0.1)
    placing.cancel()
    await asyncio.sleep(0.1)
    api.slow.set()
    await asyncio.gather(placing, return_exceptions=True)
    assert {"Status": "completed"} in api.posted


async def test_a_call_that_is_over_is_not_ended_again(api: Api) -> None:
    placing = asyncio.ensure_future(place(api.url, WISH))
    await until(lambda: api.asked)
    api.told = [{"sid": CALL, "status": "completed"}]
    await stopped(placing)
    assert api.posted == []


async def test_an_api_that_says_nothing_holds_up_the_end_for_a_short_while_only(
    api: Api, monkeypatch
) -> None:
    monkeypatch.setattr(calling, "END_S", 0.2)
    api.slow.clear()
    placing = asyncio.ensure_future(place(api.url, WISH))
    await asyncio.sleep(0.1)
    placing.cancel()
    with pytest.raises(UnendedError, match="whether the call has ended is not known"):
        async with asyncio.timeout(5):
            await placing
    assert api.posted == []
    api.slow.set()


async def test_a_call_that_may_go_on_is_told(monkeypatch, tmp_path, capsys) -> None:
    async def go_on(api: str, wish: Wish) -> str:
        try:
            return await asyncio.Future()
        finally:
            raise UnendedError

    monkeypatch.setattr(take, "place", go_on)
    settings = take.Settings("http://127.0.0.1:9", "http://127.0.0.1:9", tmp_path, wish=WISH)
    assert await take.record(replace(settings, limits=Limits(whole=0.3))) == 1
    assert "the time was up; whether the call has ended is not known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PlacingError("the API answered 401 with number 20003"), "the API answered 401 with number 20003"),
        (RuntimeError("+31612345678"), "the call cannot be placed: RuntimeError"),
    ],
)
async def test_whatever_goes_wrong_is_not_the_users_wish(
    monkeypatch, tmp_path, capsys, error: Exception, told: str
) -> None:
    async def fail(api: str, wish: Wish) -> str:
        raise error

    monkeypatch.setattr(take, "place", fail)
    settings = take.Settings("http://127.0.0.1:9", "http://127.0.0.1:9", tmp_path, wish=WISH)
    assert await take.record(settings) == 1
    assert f'"ended": "{told}"' in capsys.readouterr().out.splitlines()[-1]
