"""The event counter's one row, and the three roles with their permissions."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SUPERVISOR = [
    "view_wall",
    "control_streams",
    "view_call",
    "view_leg",
    "view_utterance",
    "view_contact",
    "add_contact",
    "change_contact",
    "view_phonenumber",
    "view_agent",
    "view_stream",
    "view_gap",
]
ADMIN_MODELS = ["phonenumber", "ingestkey", "contact", "agent", "user"]
ADMIN_SEES = [
    "call",
    "leg",
    "utterance",
    "ticket",
    "command",
    "auditevent",
    "event",
    "stream",
    "gap",
    "process",
    "recording",
]


def make(apps, schema_editor):
    Counter = apps.get_model("calls", "Counter")
    Counter.objects.get_or_create(pk=1, defaults={"value": 0})
    for label in ("calls", "streams"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")

    def give(name, codenames):
        group, _ = Group.objects.get_or_create(name=name)
        found = Permission.objects.filter(
            codename__in=codenames, content_type__app_label__in=["calls", "streams"]
        )
        missing = set(codenames) - set(found.values_list("codename", flat=True))
        if missing:
            raise RuntimeError(f"Permissions missing for {name}: {sorted(missing)}")
        group.permissions.set(found)

    give("Agent", [])
    give("Supervisor", SUPERVISOR)
    managed = [f"{verb}_{model}" for verb in ("add", "change", "delete", "view") for model in ADMIN_MODELS]
    give("Admin", sorted(set(SUPERVISOR + managed + [f"view_{model}" for model in ADMIN_SEES])))


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0001_initial"),
        ("streams", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
