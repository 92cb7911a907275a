"""Who keeps voices: admins all of them, with what they may do and look up; supervisors see that they are there."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SUPERVISOR = ["view_voice", "view_action"]
ADMIN_MODELS = ["voice", "action", "voicetable"]


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
    add("Admin", [f"{verb}_{model}" for verb in ("add", "change", "delete", "view") for model in ADMIN_MODELS])


class Migration(migrations.Migration):
    dependencies = [("calls", "0013_takeover")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
