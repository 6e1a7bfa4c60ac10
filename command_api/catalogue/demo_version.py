"""Version of the demo catalogue that the movies are up to date with; bookkeeping of imports."""

from django.db import models


class CatalogueVersion(models.Model):
    """A version of the demo catalogue that all its movies here are up to date with."""

    digest = models.CharField(max_length=64, primary_key=True)
    done_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "catalogue_versions"

    def __str__(self) -> str:
        return self.digest
