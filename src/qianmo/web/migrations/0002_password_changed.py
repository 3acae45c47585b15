"""When the password of a person was changed, until its owner was told (密码更改告知)."""

from django.db import migrations, models

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """One column of the table of people."""

    dependencies = [("desk", "0001_initial")]

    operations = [
        migrations.AddField(model_name="person", name="password_changed", field=models.DateTimeField(default=None, editable=False, null=True)),
    ]
