from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("command_api", "0001_answered_commands")]

    operations = [
        migrations.AddField(
            model_name="answeredcommand",
            name="etag",
            field=models.TextField(db_default="", default=""),
        ),
    ]
