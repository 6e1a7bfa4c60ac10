"""Which tables have admin pages?"""

from command_api.admin.movies import MoviePages
from command_api.admin.people import GenrePages, KeywordPages, PersonPages
from command_api.admin.site import Pages
from command_api.admin.sync import FilmPages, RunPages
from command_api.admin.trends import BoardPages
from command_api.catalogue.models import (
    Genre,
    Keyword,
    Movie,
    Person,
    SyncRun,
    TmdbFilm,
    TrendObservation,
)

pages = Pages(name="admin")
pages.register(Movie, MoviePages)
pages.register(Person, PersonPages)
pages.register(Genre, GenrePages)
pages.register(Keyword, KeywordPages)
pages.register(TrendObservation, BoardPages)
pages.register(SyncRun, RunPages)
pages.register(TmdbFilm, FilmPages)
