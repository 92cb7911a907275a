"""What the site tells people by itself comes in the reader's language: refusals, remedies, words of sockets.

The language is Dutch as nobody speaks it: each sentence in ⟦brackets⟧.
"""

import json
import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_db
from django.test import Client
from django.utils import timezone
from django.utils.translation import trans_real

from calls import remedies
from calls.access import EVERY
from calls.consumers.browser import Browser
from calls.events import change, newest_id
from calls.models import Call, Command
from calls.selectors import feed
from contactcenter.sockets import language_of
from tests import factories, people
from tests.calls.browsers import cookie_of, followers, line

__all__ = ["followers"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
DUTCH = {"headers": {"Accept-Language": "nl"}}
REMEDY = remedies.explain(21210)
IN_DUTCH = " ".join(f"⟦{sentence}⟧" for sentence in remedies.words(21210))


@pytest.fixture(autouse=True)
def dutch(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site speaks a second language."""
    settings.LANGUAGES = [("en-gb", "English"), ("nl", "Nederlands")]
    spoken = trans_real.translation("nl")
    monkeypatch.setattr(spoken, "gettext", lambda text: f"⟦{text}⟧")


@pytest.fixture
def mina(client: Client) -> Client:
    client.force_login(people.mina())
    return client


@pytest.fixture
def failed() -> Command:
    """Twilio has refused what Mina asked of a live call."""
    with change() as told:
        command = Command.objects.create(
            id=uuid.uuid4(),
            call=factories.call(),
            kind="call.join",
            state="failed",
            code="21210",
            text=REMEDY,
            by=people.mina(),
            settled_at=timezone.now(),
        )
        told.emit(kind="call.join.failed", noun="command", key=command.pk, call=command.call_id)
    return command


def do(client: Client, call: Call, kind: str, **how: Any) -> Any:
    body = json.dumps({"id": str(uuid.uuid4()), "kind": kind})
    return client.post(f"/calls/{call.pk}/do/", body, content_type="application/json", **how).json()


def reason_on_page(client: Client, command: Command, **how: Any) -> str:
    [told] = client.get(f"/calls/{command.call_id}/", **how).context["snapshot"]["commands"]
    return str(told["text"])


def reason_by_event(language: str) -> str:
    """As the socket of a page in that language tells of the newest event."""
    browser = Browser(call=Call.objects.get().pk, scope=EVERY, language=language)
    browser.outbox.restart(newest_id() - 1)
    for told in feed.after(newest_id() - 1, limit=9).messages:
        browser.give(told)
    [text] = browser.outbox.take()
    return str(json.loads(text)["text"])


def test_a_refusal_comes_in_the_language_of_who_asks(mina: Client) -> None:
    call = factories.call(state="ringing")
    text = "Nobody has answered yet. Try again when they talk."
    assert do(mina, call, "call.coach", **DUTCH)["error"]["text"] == f"⟦{text}⟧"
    assert do(mina, call, "call.coach")["error"]["text"] == text


def test_values_are_put_into_the_translated_sentence(mina: Client) -> None:
    answer = do(mina, factories.call(), "call.fly", **DUTCH)["error"]["text"]
    assert answer.startswith("⟦The kind must be one of stream.start, ")


def test_what_twilio_refused_is_written_once_and_read_in_each_language(mina: Client, failed: Command) -> None:
    assert reason_on_page(mina, failed, **DUTCH) == IN_DUTCH
    assert reason_on_page(mina, failed) == REMEDY
    assert (reason_by_event("nl"), reason_by_event("en-gb")) == (IN_DUTCH, REMEDY)
    failed.refresh_from_db()
    assert failed.text == REMEDY


def test_a_remedy_for_a_code_that_is_new_keeps_twilios_words() -> None:
    said = remedies.explain(12345, "Something new.", say=lambda text: text.replace("See the", "Zie de"))
    assert said == "Something new. Zie de error 12345 in Twilio's documentation."


@pytest.mark.usefixtures("followers")
async def test_a_socket_speaks_the_language_of_its_page(failed: Command) -> None:
    cookie = await in_db(cookie_of)(await in_db(people.mina)())
    path = f"/ws/calls/{failed.call_id}/"
    async with (
        line(path, cookie=f"{cookie}; django_language=nl") as dutch,
        line(path, cookie=cookie) as english,
    ):
        for page, text, wrong in (
            (dutch, IN_DUTCH, "⟦Only hello and ack are understood.⟧"),
            (english, REMEDY, "Only hello and ack are understood."),
        ):
            snapshot, _ = await page.hello()
            assert [one["text"] for one in snapshot["commands"]] == [text]
            await page.say(type="fly")
            assert (await page.hear())["text"] == wrong


def test_a_socket_without_the_sites_cookie_follows_the_browser() -> None:
    assert language_of({"headers": [(b"accept-language", b"fr, nl;q=0.8")]}) == "nl"
    assert language_of({"headers": [(b"accept-language", b"fr")]}) == "en-gb"
    assert language_of({"headers": [], "cookies": {"django_language": "nl"}}) == "nl"
