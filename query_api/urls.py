"""Which questions are there?"""

from django.urls import path

from infra import health, openapi, problems
from query_api.ages import metrics
from query_api.details import DetailsView
from query_api.library import MyFavouritesView, MyHiddenView, MyRatingsView
from query_api.me import MeView
from query_api.movies import GenresView, MovieView
from query_api.needs import needs
from query_api.playlists import MyPlaylistsView, PlaylistsView, PlaylistView
from query_api.recommendations import MyRecommendationsView
from query_api.search import DiscoverView, SearchView
from query_api.similar import SimilarView
from query_api.suggestions import SuggestionsView
from query_api.trending import TrendingView

questions = [
    path("v1/movies/<int:movie_id>", MovieView.as_view()),
    path("v1/movies/<int:movie_id>/details", DetailsView.as_view()),
    path("v1/movies/<int:movie_id>/similar", SimilarView.as_view()),
    path("v1/trending", TrendingView.as_view()),
    path("v1/search", SearchView.as_view()),
    path("v1/discover", DiscoverView.as_view()),
    path("v1/suggestions", SuggestionsView.as_view()),
    path("v1/genres", GenresView.as_view()),
    path("v1/me/recommendations", MyRecommendationsView.as_view()),
    path("v1/me", MeView.as_view()),
    path("v1/me/ratings", MyRatingsView.as_view()),
    path("v1/me/favourites", MyFavouritesView.as_view()),
    path("v1/me/hidden", MyHiddenView.as_view()),
    path("v1/me/playlists", MyPlaylistsView.as_view()),
    path("v1/playlists", PlaylistsView.as_view()),
    path("v1/playlists/<str:playlist_id>", PlaylistView.as_view()),
]

urlpatterns = [
    *questions,
    *openapi.urls("Marquee query API", questions),
    path("health/live", health.live),
    path("health/ready", health.ready(needs())),
    path("metrics", health.only_read(metrics)),
]

handler400 = problems.bad_request
handler404 = problems.not_found
handler500 = problems.server_error
