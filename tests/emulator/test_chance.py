"""The same seed and the same calls give the same ids, whatever comes in between."""

from tests.emulator.conftest import ALICE, OFFICE, Box, emulator
from tests.emulator.product import Product
from tests.emulator.story import Person

SCRIPT = Person(does=[{"after": 3}]).script("brief")


async def ids(product: Product, box: Box, *, between: bool) -> list[list[str]]:
    """Of two calls side by side: the call, what it dialled, its stream; `between`: rooms are made."""
    tap = f"<Start><Stream url='{product.socket_url}/media/x/'/></Start>"
    product.answers["/twilio/voice/"] = f"<Response>{tap}<Dial>+31205550001</Dial></Response>"
    placed = [box.exchange.incoming(ALICE, OFFICE, script=SCRIPT)]
    if between:
        box.exchange.conferences.room("meanwhile", "us1")
        box.exchange.queues.make("meanwhile", "us1")
    placed.append(box.exchange.incoming(ALICE, OFFICE, script=SCRIPT))
    await box.clock.advance(2)
    found = []
    for leg in placed:
        child = (await box.children(leg.call.sid))[0]["call_sid"]
        found.append([leg.call.sid, child, leg.streams[0].sid, str(leg.call.trust)])
    return found


async def test_what_happens_beside_a_call_changes_no_id_of_it(product: Product) -> None:
    async with emulator(product.url) as one, emulator(product.url) as other:
        assert await ids(product, one, between=False) == await ids(product, other, between=True)
