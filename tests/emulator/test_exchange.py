"""The exchange as a whole: it can be let go of at any moment."""

from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product


async def test_it_closes_while_calls_are_still_being_made(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Dial>+31209999999</Dial></Response>"
    for _ in range(60):
        box.exchange.incoming(ALICE, OFFICE)
    await product.until(lambda: len(product.asked("/twilio/voice/")) >= 5)
    await box.exchange.close()
    made = len(box.exchange.legs)
    await box.clock.advance(5)
    assert len(box.exchange.legs) == made
