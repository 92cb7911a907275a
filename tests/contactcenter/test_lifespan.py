"""Start and end under servers that speak ASGI lifespan, such as uvicorn."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from contactcenter import lifespan, lock
from contactcenter.asgi import application
from contactcenter.draining import draining


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    draining.clear()


async def life() -> list[dict[str, Any]]:
    """What the application answers to a server that starts and then ends."""
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(asked)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    await application({"type": "lifespan"}, receive, send)
    return answers


def held() -> None:
    raise lock.Held("Another serving process runs.")


async def test_a_second_process_without_redis_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "take", held)
    assert await life() == [{"type": "lifespan.startup.failed", "message": "Another serving process runs."}]


@pytest.mark.parametrize("is_async", [True, False])
async def test_at_the_end_what_lives_here_writes_its_rows(
    monkeypatch: pytest.MonkeyPatch, is_async: bool
) -> None:
    ended: list[str] = []
    living = ModuleType("living")

    async def later() -> None:
        ended.append("later")

    living.shutdown = later if is_async else lambda: ended.append("now")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "living", living)
    monkeypatch.setattr(lifespan, "_LIVING", ("never.loaded", "living"))
    monkeypatch.setattr(lock, "take", lambda: None)
    assert [answer["type"] for answer in await life()] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert ended == ["later" if is_async else "now"]
    assert draining.is_set()


async def test_a_fault_at_the_end_does_not_keep_the_server_from_ending(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    living = ModuleType("living")

    def fail() -> None:
        raise OSError("the disk is full")

    living.shutdown = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "living", living)
    monkeypatch.setattr(lifespan, "_LIVING", ("living",))
    monkeypatch.setattr(lock, "take", lambda: None)
    assert (await life())[-1] == {"type": "lifespan.shutdown.complete"}
    assert [record.getMessage() for record in caplog.records] == ["serve.finish.failed"]
