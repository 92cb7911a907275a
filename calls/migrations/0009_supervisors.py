"""What each role may do with live calls and alerts, and the alert rules that a new site begins with."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SUPERVISOR = [
    "listen_in",
    "intervene",
    "view_alertrule",
    "add_alertrule",
    "change_alertrule",
    "view_alert",
    "view_moment",
]
ADMIN = ["delete_alertrule", "view_listening", "view_supervision"]
RULES = [
    {"name": "Agent asks for help", "kind": "help", "severity": "critical"},
    {"name": "Sound lost", "kind": "stream_lost", "severity": "warning", "seconds": 15},
    {"name": "Long silence", "kind": "silence", "severity": "warning", "seconds": 30},
]


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

    add("Supervisor", SUPERVISOR)
    add("Admin", [*SUPERVISOR, *ADMIN])
    AlertRule = apps.get_model("calls", "AlertRule")
    for rule in RULES:
        AlertRule.objects.get_or_create(name=rule["name"], defaults=rule)


class Migration(migrations.Migration):
    dependencies = [("calls", "0008_supervision")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
