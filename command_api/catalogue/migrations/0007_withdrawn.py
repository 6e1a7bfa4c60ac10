from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0006_admin_pages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="movie",
            name="status",
            field=models.CharField(
                choices=[("listed", "Listed"), ("withdrawn", "Withdrawn")],
                default="listed",
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="movie",
            index=models.Index(
                condition=models.Q(("status", "listed"), _negated=True),
                fields=["id"],
                name="movie_unlisted",
            ),
        ),
        migrations.AddConstraint(
            model_name="movie",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ("listed", "withdrawn"))),
                name="movie_status",
            ),
        ),
    ]
