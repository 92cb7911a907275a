"""Where we may call: an allow-list, because whoever can dial anywhere can be made to pay for it."""

from django.core.validators import RegexValidator
from django.db import models


class Destination(models.Model):
    """Numbers that begin like this may be dialled; the longest fitting line decides."""

    prefix = models.CharField(
        max_length=16,
        unique=True,
        validators=[
            RegexValidator(r"^\+[1-9][0-9]{0,14}$", "Write + and digits, such as +31 without spaces.")
        ],
        help_text="+ and digits, such as +31. Premium-rate numbers stay refused.",
    )
    label = models.CharField(max_length=80)
    allowed = models.BooleanField(default=True, help_text="Off: an exception to a shorter line that allows.")

    class Meta:
        ordering = ["prefix"]
        verbose_name = "destination for calls out"
        verbose_name_plural = "destinations for calls out"

    def __str__(self) -> str:
        return f"{self.prefix} {self.label}"
