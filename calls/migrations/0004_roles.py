"""What each role may do in the contact centre: queues, contacts, the desk, calls out."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

AGENT = ["use_desk", "dial_out"]
SUPERVISOR = [
    "dial_out",
    "view_queue",
    "view_outcome",
    "view_hours",
    "view_openingtime",
    "view_holiday",
    "view_team",
    "view_waiting",
    "view_offer",
    "view_callback",
    "view_voicemail",
    "view_matter",
    "view_blockedcaller",
    "add_blockedcaller",
    "change_blockedcaller",
    "view_destination",
]
ADMIN_MODELS = [
    "queue",
    "outcome",
    "hours",
    "openingtime",
    "holiday",
    "team",
    "blockedcaller",
    "destination",
    "matter",
]
ADMIN_SEES = ["waiting", "offer", "callback", "voicemail", "wrapup", "note", "conference", "participant"]


def give(apps, schema_editor):
    config = apps.get_app_config("calls")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")

    def add(name, codenames):
        group, _ = Group.objects.get_or_create(name=name)
        found = Permission.objects.filter(codename__in=codenames, content_type__app_label="calls")
        missing = set(codenames) - set(found.values_list("codename", flat=True))
        if missing:
            raise RuntimeError(f"Permissions missing for {name}: {sorted(missing)}")
        group.permissions.add(*found)

    managed = [f"{verb}_{model}" for verb in ("add", "change", "delete", "view") for model in ADMIN_MODELS]
    add("Agent", AGENT)
    add("Supervisor", SUPERVISOR)
    add("Admin", [*SUPERVISOR, *managed, "view_every_team", *(f"view_{model}" for model in ADMIN_SEES)])


class Migration(migrations.Migration):
    dependencies = [("calls", "0003_contact_centre")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
