"""People written in a test: what each does step by step, without a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from emulator.people.scripts import Act, Part, Script
from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product

_names = count()


@dataclass
class Person:
    """What somebody does; steps as in a script's `does`."""

    does: list[dict[str, Any]] = field(default_factory=list)
    reply: Any = "answers"

    def script(self, name: str) -> Script:
        """A script in which they call, and nobody else has a part."""
        return Script(name, caller=self.part(), hangup_after=None)

    def part(self) -> Part:
        return Part(does=tuple(Act(**act) for act in self.does), reply=self.reply)


async def call(product: Product, box: Box, verbs: str, *, then: str | None = None) -> None:
    """The product answers calls with these verbs, and with `then` whoever asks again."""
    first = f"<Response>{verbs}</Response>"
    product.answers["/twilio/voice/"] = first if then is None else [first, then]


async def tell(box: Box, caller: Person, callee: Person | None = None, **more: Any) -> str:
    """These people telephone; the call's id."""
    name = f"story {next(_names)}"
    script = Script(name, caller=caller.part(), callee=(callee or Person()).part(), hangup_after=None)
    from_, to = more.pop("from_", ALICE), more.pop("to", OFFICE)
    return str(box.exchange.incoming(from_, to, script=script, **more).call.sid)


def after(call: dict[str, Any]) -> tuple[str, str]:
    """How a call ended."""
    return call["status"], call["reason"]
