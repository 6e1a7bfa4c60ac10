"""Which tables have admin pages?"""

from command_api.admin.movies import MovieAdmin
from command_api.admin.people import GenreAdmin, KeywordAdmin, PersonAdmin
from command_api.admin.site import StaffSite
from command_api.admin.sync import FilmAdmin, SyncRunAdmin
from command_api.admin.trends import BoardAdmin
from command_api.catalogue.models import (
    Genre,
    Keyword,
    Movie,
    Person,
    SyncRun,
    TmdbFilm,
    TrendObservation,
)

pages = StaffSite(name="admin")
pages.register(Movie, MovieAdmin)
pages.register(Person, PersonAdmin)
pages.register(Genre, GenreAdmin)
pages.register(Keyword, KeywordAdmin)
pages.register(TrendObservation, BoardAdmin)
pages.register(SyncRun, SyncRunAdmin)
pages.register(TmdbFilm, FilmAdmin)
