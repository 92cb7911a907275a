"""Where may be called: the allow-list of destinations."""

from django import forms
from django.contrib import admin

from calls.models import Destination
from calls.text import clean


class DestinationForm(forms.ModelForm):  # type: ignore[type-arg]
    """The beginning of numbers, typed as people do."""

    prefix = forms.CharField(  # type: ignore[assignment]  # the form's own prefix is another thing
        max_length=40, help_text="Such as +31 or +44 20. Premium-rate numbers stay refused."
    )

    class Meta:
        model = Destination
        fields = ["prefix", "label", "allowed"]

    def clean_prefix(self) -> str:
        """Without spaces; 00 for +."""
        typed = clean(self.cleaned_data["prefix"], 40)
        prefix = "".join(char for char in typed if char not in " ()-.")
        return f"+{prefix[2:]}" if prefix.startswith("00") else prefix


@admin.register(Destination)
class DestinationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = DestinationForm
    list_display = ["prefix", "label", "allowed"]
    list_filter = ["allowed"]
    search_fields = ["prefix", "label"]
