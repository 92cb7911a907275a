"""The doctor's checks of what belongs to regions and numbers: logins, webhooks, queues, hours."""

from django.conf import settings
from django.utils import timezone

from calls.gateway import credentials
from calls.gateway.client import GatewayError
from calls.models import Agent, Hours, PhoneNumber, Queue
from calls.services import numbers as numbers_service
from calls.services import proof
from calls.services.numbers import NotOurs
from contactcenter import reach
from contactcenter.reach import Careful, Several, Wrong

__all__ = ["numbers", "people", "phone", "tokens"]


def tokens() -> str:
    """Each login opens the account in its region: a wrong token would refuse every webhook. Raises Wrong."""
    told = [_region(region) for region in credentials.configured()]
    return "; ".join(told)


def _region(region: str) -> str:
    own = credentials.of(region)
    for place, token in enumerate(own.tokens, start=1):
        name = f"token {place} of {_name('TWILIO_AUTH_TOKEN', region)}"
        _opens(region, settings.TWILIO_ACCOUNT_SID, token, name)
    if own.key:
        _opens(region, own.key, own.secret, _name("TWILIO_API_KEY", region))
    key = ", an API key" if own.key else ""
    return f"{region} {len(own.tokens)} of the account{key}"


def _opens(region: str, user: str, password: str, name: str) -> None:
    status = reach.rest_status(region, user, password)
    if status == 401:
        raise Wrong(
            f"{name} is not of account {settings.TWILIO_ACCOUNT_SID} in {region}",
            f"Copy the account's primary auth token (or an API key) of {region} from the Twilio console; "
            "take out one that was replaced.",
        )
    if status != 200:
        raise Wrong(f"Twilio answers {status} in {region}", "Try again; see status.twilio.com.")


def _name(setting: str, region: str) -> str:
    return setting if region == credentials.HOME else f"{setting}_{region.upper()}"


def phone() -> str:
    """The desk's browser phone gets its access tokens by an API key. Raises Careful."""
    if not Agent.objects.filter(phone=Agent.Phone.BROWSER).exists():
        return "no agent answers in the browser"
    if settings.TWILIO_API_KEY and settings.TWILIO_API_SECRET:
        return "an API key is there for it"
    raise Careful(
        "agents answer in the browser, and no API key is set: they get no access token",
        "Create an API key in the Twilio console; set TWILIO_API_KEY and TWILIO_API_SECRET.",
    )


def numbers() -> str:
    """Every number is processed in its region and sends its calls here. Raises Several."""
    ours = list(PhoneNumber.objects.all())
    if not ours:
        raise Wrong("none is connected", "Run: manage.py connect +31… (your Twilio number)")
    faults = [fault for number in ours if (fault := _fault(number)) is not None]
    if faults:
        raise Several(faults)
    regions = sorted({number.region for number in ours})
    return f"{len(ours)} send their calls here ({', '.join(regions)})"


def _fault(number: PhoneNumber) -> Wrong | None:
    remedy = f"Run: manage.py connect {number.e164}"
    try:
        differences = numbers_service.compare(number=number, now=timezone.now())
    except (NotOurs, GatewayError) as error:
        return Wrong(str(error).rstrip("."), remedy)
    if not differences:
        return None
    fields = ", ".join(one.field for one in differences)
    return Wrong(f"{number.e164} differs in {fields}", remedy)


def people() -> str:
    """Behind every number and queue is somebody, and hours are open at some time. Raises Several."""
    ours = PhoneNumber.objects.select_related("queue", "agent")
    findings = {number: proof.destination(number) for number in ours}
    faults = [
        Careful(f"{number.label}: {found.text}", "Choose a destination in /admin/.")
        for number, found in findings.items()
        if found.state == "wrong"
    ]
    faults += [
        Careful(f"the queue {name} has no agents", "Add some in /admin/, or nobody is offered its callers.")
        for name in Queue.objects.filter(agents__isnull=True).values_list("name", flat=True)
    ]
    faults += [
        Careful(f"the opening hours {name} have no times: always closed", "Add some in /admin/.")
        for name in Hours.objects.filter(times__isnull=True, numbers__isnull=False)
        .distinct()
        .values_list("name", flat=True)
    ]
    if faults:
        raise Several(faults)
    return "every number leads to somebody"
