"""Numbers that people dial, and the addresses by which other applications may stream to us."""

from django.db import models


class Region(models.TextChoices):
    US1 = "us1", "United States (us1)"
    IE1 = "ie1", "Ireland (ie1)"
    AU1 = "au1", "Australia (au1)"


class PhoneNumber(models.Model):
    """A Twilio number and what a caller meets behind it."""

    class Destination(models.TextChoices):
        QUEUE = "queue", "Queue"
        PHONE = "phone", "Telephone number"
        AGENT = "agent", "One agent"
        VOICE = "voice", "A voice that answers"
        TAP = "tap", "Stream only (hangs up when the stream ends)"

    class Closed(models.TextChoices):
        END = "end", "Say so and hang up"
        VOICEMAIL = "voicemail", "Leave a message"
        PHONE = "phone", "A telephone number"

    class Verify(models.TextChoices):
        NO = "", "No"
        CODE = "code", "Code of the contact"
        BIRTH = "birth", "Date of birth"

    class Webhooks(models.TextChoices):
        UNKNOWN = "unknown", "Not checked"
        RIGHT = "right", "Right"
        DIFFERS = "differs", "Differs from Twilio"

    e164 = models.CharField("number", max_length=16, unique=True, help_text="E.164, such as +31201234567.")
    label = models.CharField(max_length=80, help_text="As people see it, such as Support.")
    region = models.CharField(max_length=3, choices=Region.choices, default=Region.US1)
    destination = models.CharField(max_length=8, choices=Destination.choices, default=Destination.PHONE)
    forward_to = models.CharField(
        "telephone to dial",
        max_length=16,
        blank=True,
        help_text="For the destination telephone number, E.164.",
    )
    agent = models.ForeignKey(
        "calls.Agent", on_delete=models.SET_NULL, null=True, blank=True, related_name="numbers"
    )
    queue = models.ForeignKey(
        "calls.Queue", on_delete=models.SET_NULL, null=True, blank=True, related_name="numbers"
    )
    voice = models.ForeignKey(
        "calls.Voice", on_delete=models.SET_NULL, null=True, blank=True, related_name="numbers"
    )
    team = models.ForeignKey(
        "calls.Team",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="numbers",
        help_text="Who sees calls to this number that are in no queue; empty: every supervisor.",
    )
    language = models.CharField(max_length=10, default="en-GB", help_text="Of what Twilio says and hears.")
    hours = models.ForeignKey(
        "calls.Hours",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="numbers",
        help_text="Empty: always open.",
    )
    closed = models.CharField("when closed", max_length=9, choices=Closed.choices, default=Closed.END)
    closed_text = models.TextField("said when closed", blank=True, max_length=1000)
    closed_to = models.CharField("telephone when closed", max_length=16, blank=True, help_text="E.164.")
    greeting = models.TextField(blank=True, max_length=1000, help_text="Said first.")
    verify = models.CharField(
        "verify callers", max_length=5, choices=Verify.choices, default=Verify.NO, blank=True
    )
    verify_prompt = models.TextField(
        "asked to verify",
        blank=True,
        max_length=500,
        help_text="Ours if empty. By keys or by speech; the stream stops while it is answered.",
    )
    consent = models.TextField(
        "consent text",
        blank=True,
        max_length=1000,
        help_text="Said before the stream starts; needed to record.",
    )
    stream = models.BooleanField(
        "stream calls", default=True, help_text="Open a two-track stream on each call."
    )
    transcribe = models.BooleanField(default=True, help_text="Write down what is said (English).")
    record = models.BooleanField(default=False, help_text="Keep a stereo recording; needs a consent text.")
    webhook_state = models.CharField(max_length=8, choices=Webhooks.choices, default=Webhooks.UNKNOWN)
    webhook_found = models.JSONField(
        default=dict, blank=True, help_text="What differed at Twilio when we last looked: field → value."
    )
    inbound_region = models.CharField(
        max_length=3, blank=True, help_text="Where Twilio processes its calls, as last read."
    )
    checked_at = models.DateTimeField(null=True, blank=True, help_text="Last compared with Twilio.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["label", "e164"]
        verbose_name = "number"

    def __str__(self) -> str:
        return f"{self.label} {self.e164}"

    def may_record(self) -> bool:
        """A recording is allowed only where a consent text is said before the stream starts."""
        return self.record and bool(self.consent.strip())


class IngestKey(models.Model):
    """A revocable address /media/k/<key>/ for streams opened elsewhere (a TwiML Bin, Studio, another tap)."""

    key = models.CharField(max_length=32, unique=True, editable=False, help_text="128 bits, hexadecimal.")
    number = models.ForeignKey(PhoneNumber, on_delete=models.CASCADE, related_name="ingest_keys")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("calls.User", on_delete=models.SET_NULL, null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "ingest address"
        verbose_name_plural = "ingest addresses"

    def __str__(self) -> str:
        return f"{self.number.label}, {self.created_at:%Y-%m-%d}"
