"""Routes of the query API."""

from django.urls import path

from infra.http import health, openapi, problem_details
from query_api.ops.readiness import readiness_checks
from query_api.views.details import DetailsView
from query_api.views.library import MyFavouritesView, MyHiddenView, MyRatingsView
from query_api.views.me import MyProfileView
from query_api.views.movies import GenresView, MovieView
from query_api.views.playlists import MyPlaylistsView, PlaylistPageView, PublicPlaylistsView
from query_api.views.recommendations import MyRecommendationsView
from query_api.views.search import DiscoverView, SearchView
from query_api.views.similar import SimilarView
from query_api.views.suggestions import SuggestionsView
from query_api.views.trending import TrendingView

queries = [
    path("v1/movies/<int:movie_id>", MovieView.as_view()),
    path("v1/movies/<int:movie_id>/details", DetailsView.as_view()),
    path("v1/movies/<int:movie_id>/similar", SimilarView.as_view()),
    path("v1/trending", TrendingView.as_view()),
    path("v1/search", SearchView.as_view()),
    path("v1/discover", DiscoverView.as_view()),
    path("v1/suggestions", SuggestionsView.as_view()),
    path("v1/genres", GenresView.as_view()),
    path("v1/me/recommendations", MyRecommendationsView.as_view()),
    path("v1/me", MyProfileView.as_view()),
    path("v1/me/ratings", MyRatingsView.as_view()),
    path("v1/me/favourites", MyFavouritesView.as_view()),
    path("v1/me/hidden", MyHiddenView.as_view()),
    path("v1/me/playlists", MyPlaylistsView.as_view()),
    path("v1/playlists", PublicPlaylistsView.as_view()),
    path("v1/playlists/<str:playlist_id>", PlaylistPageView.as_view()),
]

urlpatterns = [
    *queries,
    *openapi.urls("Marquee query API", queries),
    path("health/live", health.live),
    path("health/ready", health.ready(readiness_checks())),
]

handler400 = problem_details.bad_request
handler404 = problem_details.not_found
handler500 = problem_details.server_error
