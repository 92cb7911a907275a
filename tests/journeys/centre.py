"""A site with a queue and desks in Chromium, whose phones are the emulator's stand-in for Twilio's SDK."""

import re
import uuid
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from emulator.audio.sound import read_wav
from streams.audio import ulaw_to_pcm
from tests.chromium import FLAGS, watch
from tests.people import PASSWORD
from tests.processes import ROOT, answers, needed, until
from tests.product import Site
from tests.world import SUPPORT

KEY, SECRET = "SK" + "e" * 32, "a secret of the key that is long enough for HS256"
PERSON = "+31612345679"
RINGING = "dialog.ringing[open]"
STATE = "[data-state-badge] [data-word]"
ASK = """async (body) => {
  const secret = document.querySelector("#desk-form [name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": secret };
  const answer = await fetch("/desk/do/", { method: "POST", headers, body: JSON.stringify(body) });
  return [answer.status, await answer.json()];
}"""
MAKE = f"""
from datetime import timedelta
from django.utils import timezone
from calls.models import *
from tests import people
queue = Queue.objects.create(name="Support", wrapup_seconds=60)
Outcome.objects.create(queue=queue, label="Solved")
amira = Agent.objects.create(user=people.person("amira", "Agent"), name="Amira", identity="agent_amira")
queue.agents.set([people.agent_jonas(), amira])
PhoneNumber.objects.filter(e164="{SUPPORT}").update(destination="queue", queue=queue)
Destination.objects.create(prefix="+31", label="Netherlands")
carla = people.carla()
Matter.objects.create(contact=carla, text="Waits for a replacement part")
begun = timezone.now() - timedelta(days=3)
old = Call.objects.create(contact=carla, caller=carla.e164, queue=queue, state="ended", outcome="answered",
                          started_at=begun, answered_at=begun, ended_at=begun + timedelta(minutes=2))
Note.objects.create(call=old, by=people.jonas(), text="Likes to be called Carla.")
"""


@contextmanager
def centre(directory: Path) -> Iterator[Site]:
    """The site, served, with Twilio's side beside it."""
    one = Site(directory, settings={"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": SECRET})
    one.settings["SOFTPHONE_URL"] = f"{one.emulator_url}/emulator/softphone.js"
    try:
        one.prepare()
        one.run(MAKE)
        one.emulate()
        one.serve()
        until(lambda: answers(f"{one.url}/readyz"), "everything is ready")
        yield one
    finally:
        one.close()


@contextmanager
def talker(browser: Browser, directory: Path) -> Iterator[Browser]:
    """A browser whose microphone hears what the agent says in conversation.wav."""
    microphone = directory / "microphone.wav"
    source = ROOT / "emulator" / "recordings" / "conversation.wav"
    _, agent = read_wav(source.read_bytes(), source.name)
    pcm = ulaw_to_pcm(bytes(agent))
    with wave.open(str(microphone), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(b"".join(pcm[at : at + 2] * 6 for at in range(0, len(pcm), 2)))
    flags = [
        *FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    chromium = browser.browser_type.launch(executable_path=needed("chromium"), args=flags)
    yield chromium
    chromium.close()


class Desk:
    """One agent's desk in a visitor of its own."""

    def __init__(self, browser: Browser, site: Site, username: str) -> None:
        self.site = site
        self.visitor = browser.new_context(
            viewport={"width": 1280, "height": 900}, locale="en-GB", permissions=["microphone"]
        )
        self.page: Page = self.visitor.new_page()
        self.faults = watch(self.page)
        self.page.goto(f"{site.url}/accounts/login/?next=/desk/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.press("input[name=password]", "Enter")
        expect(self.page.locator("[data-phone-chip]")).to_have_text("Phone ready")

    def ready(self) -> None:
        """Check the phone, once a day, and say Ready."""
        self.page.click("[data-status=ready]")
        for step in ("microphone", "network"):
            expect(self.page.locator(f"#check [data-step={step}] [data-word]")).to_have_text("Good")
        self.page.click("#check [data-play]")
        self.page.click("#check [data-heard]")
        self.page.click("#check [data-go-ready]")
        self.says("Ready")

    def says(self, state: str) -> None:
        """Wait for the agent's own state, in its word."""
        expect(self.page.locator(STATE)).to_have_text(re.compile(rf"^{state}"))

    def rings(self) -> Any:
        """Wait until it rings; the dialog."""
        dialog = self.page.locator(RINGING)
        expect(dialog).to_be_visible()
        return dialog

    def accept(self) -> None:
        """Take what rings, and wait for the talk."""
        self.rings()
        self.page.click("[data-accept]")
        self.says("On a call")

    def hang_up(self) -> None:
        """End the call."""
        self.page.click("[data-hangup]")
        self.says("Wrap-up")

    def wrap_up(self) -> None:
        """Say what became of it; Ready again."""
        self.page.get_by_label("Solved").check()
        self.page.click("[data-done]")

    def hears_words(self, words: set[str]) -> None:
        """Wait until two of these words stand in the transcript; one may be misheard."""
        text = self.page.locator("cc-transcript")

        def there() -> bool:
            said = set(re.findall(r"[a-z]+", text.inner_text().lower()))
            return len(said & words) >= 2

        until(lambda: there() or self._breathe(), f"two of {words} on the desk")

    def asks(self, kind: str, **fields: Any) -> tuple[int, Any]:
        """POST to the desk's own address, whatever the page would allow; status and answer."""
        status, answer = self.page.evaluate(ASK, {"id": str(uuid.uuid4()), "do": kind, **fields})
        return int(status), answer

    def _breathe(self) -> bool:
        self.page.evaluate("() => new Promise((next) => requestAnimationFrame(next))")
        return False

    def close(self) -> None:
        """The window is closed."""
        self.visitor.close()
