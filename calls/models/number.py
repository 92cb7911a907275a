"""Numbers that people dial, and the addresses by which other applications may stream to us."""

from django.db import models


class Region(models.TextChoices):
    US1 = "us1", "United States (us1)"
    IE1 = "ie1", "Ireland (ie1)"
    AU1 = "au1", "Australia (au1)"


class PhoneNumber(models.Model):
    """A Twilio number and what a caller meets behind it."""

    class Destination(models.TextChoices):
        PHONE = "phone", "Telephone number"
        AGENT = "agent", "Agent in the browser"
        TAP = "tap", "Stream only (hangs up when the stream ends)"

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
