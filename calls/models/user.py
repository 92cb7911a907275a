"""People who sign in."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Our own user model from the first migration, so that it can grow."""

    class Meta:
        db_table = "calls_user"
        permissions = [
            ("view_wall", "May watch live calls and read what is said"),
            ("view_every_team", "May watch the calls of every team"),
            ("control_streams", "May start and stop streams on a live call"),
            ("listen_in", "May listen to live calls"),
            ("intervene", "May coach, join, transfer and end live calls"),
            ("use_desk", "May take calls at a desk"),
            ("dial_out", "May call people from the desk and from the list of calls"),
        ]

    def shown(self) -> str:
        """What colleagues read: the first name, else the name to sign in with."""
        return self.get_short_name() or self.get_username()
