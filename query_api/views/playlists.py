"""Playlists: mine, public ones, and the movies of one."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from django.http import HttpResponse
from rest_framework import serializers

from events.playlist_ids import InvalidPlaylistId, partition_of_playlist
from infra.errors import NotFound
from infra.http.openapi import operation
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import PageQuery, encode
from infra.redis_pipeline import ReadCommands
from infra.security import signing
from infra.security.signing import BadSignature
from projectors.read_models.library.playlists import PlaylistSummary, read_order, read_playlist
from projectors.read_models.library.read_model import Library, read_playlist_ids
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.playlists.read_model import Playlists, PublicPlaylistPage
from projectors.read_models.playlists.read_model import PublicPlaylist as PublicPlace
from projectors.read_models.search.text_normalisation import fold
from projectors.storage import pagination
from projectors.storage.pagination import CursorPosition
from query_api.http import schemas
from query_api.http.cursors import reject_foreign_cursor
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import ReadRequest
from query_api.http.schemas import PlaylistFields, PlaylistItemFields
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView
from query_api.views.library import OrderedQuery, in_order, render

_MINE, _PUBLIC, _MOVIES = "my-playlists", "playlists", "playlist"
_pack = msgspec.msgpack.Encoder().encode


_NO_SUCH = "There is no such playlist."


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    scope: str
    place: PublicPlace


_cursor_decoder = msgspec.msgpack.Decoder(_Cursor)


class PlaylistPageView(ReadView):
    """A playlist with its movies in their order."""

    permission_classes = (Anybody,)
    metrics_name = "PlaylistView"
    cache_policy = "never"

    @operation(
        "playlist",
        query=PageQuery,
        answers={200: schemas.PlaylistPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, playlist_id: str = "", **kwargs: Any) -> HttpResponse:
        query = PageQuery.of(request.query_string)
        library, movies = request.open(Library), request.movies()
        if not is_playlist_id(playlist_id):
            request.check(AnswerSource(library))
            raise NotFound(_NO_SUCH)
        about, ranks = request.fetch(
            lambda pipe: library.enqueue_playlist(pipe, playlist_id),
            AnswerSource(library),
            AnswerSource(movies),
        )
        playlist = read_playlist(playlist_id, about)
        identity = request.identity
        viewer = identity.user_id if identity else None
        if playlist is None or not request.visible([playlist], viewer):
            raise NotFound(_NO_SUCH)
        order = read_order(ranks)
        return self.respond(
            request, _render_with_movies(request, playlist, order, library, movies, query)
        )


class MyPlaylistsView(ReadView):
    """My playlists, the newest or the oldest first."""

    permission_classes = (LoggedIn,)
    cache_policy = "never"

    @operation(
        "my_playlists",
        query=OrderedQuery,
        answers={200: schemas.PlaylistsPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        query = OrderedQuery.of(request.query_string)
        library, user, sort = request.open(Library), request.user_id, query["sort"]

        def enqueue(pipe: ReadCommands) -> None:
            library.enqueue_playlists(pipe, user)
            library.enqueue_username(pipe, user)

        reply, name = request.fetch(enqueue, AnswerSource(library))
        scope = f"{user}|{sort}"
        own_playlists = [PublicPlace(*own) for own in read_playlist_ids(reply)]
        rest = in_order(own_playlists, sort, after=_decode_cursor(_MINE, scope, query))
        page = rest[: query["limit"]]
        next_ = _encode_cursor(_MINE, scope, page[-1]) if len(rest) > len(page) else None
        mine = library.playlists([own.id for own in page])
        names = {str(user): name.decode()} if name else {}
        return self.respond(request, _page(mine, names, next_))


class PlaylistsQuery(PageQuery):
    """Page, order and search words of the public playlists."""

    sort = serializers.ChoiceField(["new", "popular"], default="new")
    q = serializers.CharField(max_length=100, required=False)


class PublicPlaylistsView(ReadView):
    """Public playlists, the last published first; by words in their names."""

    permission_classes = (Anybody,)
    metrics_name = "PlaylistsView"
    cache_policy = "never"

    @operation(
        "playlists",
        query=PlaylistsQuery,
        answers={200: schemas.PlaylistsPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        query = PlaylistsQuery.of(request.query_string)
        library, public = request.open(Library), request.open(Playlists)
        words = fold(query.get("q", "")).split()
        scope = sha256(f"{query['sort']}|{' '.join(words)}".encode()).hexdigest()[:16]
        request.check(AnswerSource(library), AnswerSource(public))
        page = PublicPlaylistPage([], None)
        if words or "q" not in query:  # a search text without words matches nothing
            after = _decode_cursor(_PUBLIC, scope, query)
            # Playlists have no followers yet, so "popular" is the order of "new".
            page = public.newest(words, limit=query["limit"], after=after)
        shown = request.visible(library.playlists([place.id for place in page.playlists]), None)
        next_ = None if page.next is None else _encode_cursor(_PUBLIC, scope, page.next)
        names = library.usernames(playlist.owner for playlist in shown)
        return self.respond(request, _page(shown, names, next_))


def is_playlist_id(text: str) -> bool:
    """Whether the text has the form of a playlist id."""
    try:
        partition_of_playlist(text)
    except InvalidPlaylistId:
        return False
    return True


def _render_with_movies(
    request: ReadRequest,
    playlist: PlaylistSummary,
    order: Sequence[tuple[int, int]],
    library: Library,
    movies: Movies,
    query: Mapping[str, Any],
) -> bytes:
    """The playlist, with a page of its movies."""
    place = None
    if (cursor := query.get("cursor")) is not None:
        with reject_foreign_cursor():
            place = pagination.decode_cursor(_MOVIES, playlist.id, cursor)
    rest = [
        (position, rank, movie)
        for position, (rank, movie) in enumerate(order)
        if place is None or (rank, movie) > place
    ]
    page = rest[: query["limit"]]
    next_ = None
    if len(rest) > len(page):
        _, rank, movie = page[-1]
        next_ = pagination.encode_cursor(_MOVIES, playlist.id, CursorPosition(rank, movie))
    positions = {movie: PlaylistItemFields(position) for position, _, movie in page}
    cards, [name] = request.cards_and(
        movies, list(positions), lambda pipe: library.enqueue_username(pipe, playlist.owner)
    )
    about = _fields(playlist, name.decode() if name else None)
    return render(cards, positions, next_, msgspec.structs.asdict(about))


def _fields(playlist: PlaylistSummary, owner: str | None) -> PlaylistFields:
    return PlaylistFields(
        id=playlist.id,
        owner=owner,
        name=playlist.name,
        description=playlist.description,
        visibility=playlist.visibility,
        version=playlist.version,
        size=playlist.size,
        created_at=playlist.created_at,
        updated_at=playlist.updated_at,
    )


def _page(
    playlists: Sequence[PlaylistSummary], names: Mapping[str, str], next_: str | None
) -> bytes:
    items = (encode(_fields(playlist, names.get(playlist.owner))) for playlist in playlists)
    return pagination.render_page(items, next_)


def _encode_cursor(purpose: str, scope: str, place: PublicPlace) -> str:
    return signing.seal(purpose, _pack(_Cursor(scope, place)))


def _decode_cursor(purpose: str, scope: str, query: Mapping[str, Any]) -> PublicPlace | None:
    if (token := query.get("cursor")) is None:
        return None
    with reject_foreign_cursor():
        try:
            cursor = _cursor_decoder.decode(signing.open_(purpose, token))
        except msgspec.DecodeError as error:
            raise BadSignature(purpose) from error
        if cursor.scope != scope:
            raise BadSignature(purpose)
        return cursor.place
