import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0008_catalogue_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="movie",
            name="prominence",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="MovieDirector",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.PositiveSmallIntegerField()),
                (
                    "movie",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="directors",
                        to="catalogue.movie",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.person",
                    ),
                ),
            ],
            options={"db_table": "movie_directors"},
        ),
        migrations.AddConstraint(
            model_name="moviedirector",
            constraint=models.UniqueConstraint(
                fields=("movie", "place"), name="movie_director_place"
            ),
        ),
    ]
