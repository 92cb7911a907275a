"""Where the phones in the browser belong."""

from calls.models import PhoneNumber
from calls.tokens import EDGES, has_key

__all__ = ["region"]


def region() -> str:
    """The region in which the site's numbers are processed, if they all are in one; us1 otherwise.

    A call can only ring phones that are registered in its own region, and a phone is registered in one.
    """
    found = set(PhoneNumber.objects.exclude(inbound_region="").values_list("inbound_region", flat=True))
    only = found.pop() if len(found) == 1 else "us1"
    return only if only in EDGES and has_key(only) else "us1"
