"""URLs of the command API."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from command_api.accounts.api import AccountsView
from command_api.admin.site import site
from command_api.emails.api import MyVerificationView, VerifyEmailView
from command_api.erasure.api import EraseMeView, ErasureView
from command_api.export.api import ExportView
from command_api.opinion_flags.api import FavouriteView, HiddenView
from command_api.passwords.api import ForgottenView, MyPasswordView, ResetView
from command_api.playlists.api import CreatePlaylistView, EditPlaylistView, PlaylistMovieView
from command_api.preferences.api import PreferencesView
from command_api.ratings.api import RatingView
from command_api.ratings.bulk_import_api import RatingsImportView
from command_api.sessions.api import RefreshView, RevokeAllView, RevokeView, TokensView
from infra.http import health, openapi, problem_details, strict_json
from infra.security import access_tokens


def jwks(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django passes it
    """Serve the public keys that verify access tokens."""
    return HttpResponse(
        strict_json.encode(access_tokens.ring().jwks()),
        content_type="application/json",
        headers={"Cache-Control": "public, max-age=60"},
    )


commands = [
    path("v1/accounts", AccountsView.as_view()),
    path("v1/accounts/verify-email", VerifyEmailView.as_view()),
    path("v1/passwords/forgot", ForgottenView.as_view()),
    path("v1/passwords/reset", ResetView.as_view()),
    path("v1/tokens", TokensView.as_view()),
    path("v1/tokens/refresh", RefreshView.as_view()),
    path("v1/tokens/revoke", RevokeView.as_view()),
    path("v1/tokens/revoke-all", RevokeAllView.as_view()),
    path("v1/me", EraseMeView.as_view()),
    path("v1/me/export", ExportView.as_view()),
    path("v1/erasures/<str:token>", ErasureView.as_view()),
    path("v1/me/preferences", PreferencesView.as_view()),
    path("v1/me/password", MyPasswordView.as_view()),
    path("v1/me/verify-email", MyVerificationView.as_view()),
    path("v1/movies/<int:movie_id>/rating", RatingView.as_view()),
    path("v1/ratings/import", RatingsImportView.as_view()),
    path("v1/movies/<int:movie_id>/favourite", FavouriteView.as_view()),
    path("v1/movies/<int:movie_id>/hidden", HiddenView.as_view()),
    path("v1/playlists", CreatePlaylistView.as_view()),
    path("v1/playlists/<str:playlist_id>", EditPlaylistView.as_view()),
    path("v1/playlists/<str:playlist_id>/movies/<int:movie_id>", PlaylistMovieView.as_view()),
]

urlpatterns = [
    *commands,
    *openapi.urls("Marquee command API", commands),
    path(".well-known/jwks.json", health.only_read(jwks)),
    path("health/live", health.live),
    path(
        "health/ready",
        health.ready(
            {
                "log": health.database("default"),
                "vault": health.database("vault"),
                "redis": health.redis,
            }
        ),
    ),
    path("admin/", site.urls),
]

handler400 = problem_details.bad_request
handler404 = problem_details.not_found
handler500 = problem_details.server_error
