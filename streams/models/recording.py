"""Sound that may be kept: the number records and the consent text was played."""

from django.db import models


class Recording(models.Model):
    """A stereo mu-law WAV (caller left, the other side right) made from a stream's journal."""

    stream = models.OneToOneField("streams.Stream", on_delete=models.CASCADE, related_name="recording")
    file = models.CharField(max_length=120, unique=True, help_text="Name under DATA_DIR/recordings.")
    sha256 = models.CharField(max_length=64)
    ms = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    degraded = models.BooleanField(default=False, help_text="Sound is missing.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.file
