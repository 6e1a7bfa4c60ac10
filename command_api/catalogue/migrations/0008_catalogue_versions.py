from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0007_withdrawn"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueVersion",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("done_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "catalogue_versions"},
        ),
    ]
