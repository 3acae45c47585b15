"""Whether the password of a person was given by somebody else, so that its owner must choose another (他人所给口令)."""

from django.db import migrations, models

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """One column of the table of people; who has an account already keeps the own password."""

    dependencies = [("desk", "0002_password_changed")]

    operations = [
        migrations.AddField(model_name="person", name="password_given", field=models.BooleanField(db_default=False, default=False, editable=False)),
    ]
