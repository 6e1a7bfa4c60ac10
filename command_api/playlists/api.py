"""HTTP endpoints that create, change and delete playlists."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from rest_framework import serializers

from command_api import event_store
from command_api.aggregate import Handled, handle
from command_api.catalogue.movie_lookup import is_withdrawn
from command_api.http.if_match import versions
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.playlists import decider
from command_api.playlists.decider import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MOST_MOVIES,
    ChangePlaylist,
    CreatePlaylist,
    DeletePlaylist,
    PlaylistChange,
    PlaylistState,
    PlaylistText,
    PutMovie,
    RemoveMovie,
    not_found,
)
from events import playlist_ids
from events.recorded import partition_of
from events.vault.decryption import PLAYLIST_DESCRIPTION, PLAYLIST_NAME, EventDecryptor
from events.vault.encryption import encrypt_field
from infra.errors import Unauthenticated
from infra.http.permissions import LoggedIn
from infra.http.strict_json import StrictSerializer, TextField

_FIELDS = {"name": PLAYLIST_NAME, "description": PLAYLIST_DESCRIPTION}

_decryptor = EventDecryptor()
# Names can only be compared in clear.
_playlist = replace(decider.playlist, decrypt=_decryptor.decrypt_all)


def _name(**more: Any) -> serializers.CharField:
    return serializers.CharField(max_length=LONGEST_NAME, **more)


def _description() -> TextField:
    return TextField(
        max_length=LONGEST_DESCRIPTION, required=False, allow_blank=True, allow_null=True
    )


class NewPlaylistBody(StrictSerializer):
    """A new playlist."""

    name = _name()
    description = _description()
    visibility = serializers.ChoiceField(("private", "public"), required=False)


class PlaylistBody(StrictSerializer):
    """The properties to change; the others stay. A null or empty description removes it."""

    name = _name(required=False)
    description = _description()
    visibility = serializers.ChoiceField(("private", "public"), required=False)


class PlaceBody(StrictSerializer):
    """The movie's position; the movies from there on move down."""

    position = serializers.IntegerField(min_value=0, max_value=MOST_MOVIES - 1, required=False)


class PlaylistAnswer(serializers.Serializer[Any]):
    """The playlist and its version now."""

    id = serializers.CharField()
    version = serializers.IntegerField()


class PlaceAnswer(PlaylistAnswer):
    """The playlist, its version, and the movie's position."""

    movie_id = serializers.IntegerField()
    position = serializers.IntegerField()


class CreatePlaylistView(CommandView):
    """My playlists."""

    metrics_name = "PlaylistsView"
    permission_classes = (LoggedIn,)
    bodies = {"POST": NewPlaylistBody}

    @describe_command("create_playlist", answers={201: PlaylistAnswer})
    def post(self, call: Call) -> Answer:
        """Create a playlist; it is private unless ``visibility`` is public."""
        user, store = call.user_id, event_store.store()
        playlist_id = playlist_ids.playlist_id(
            str(user), store.partitions, os.urandom(playlist_ids.RANDOM_BYTES)
        )
        command = CreatePlaylist(
            playlist_id=playlist_id, user_id=user, **_encrypted(user, call.body)
        )
        handled = handle(command, _playlist, store, origin=call.origin)
        return _answer(playlist_id, handled, status=201)


class EditPlaylistView(CommandView):
    """One of my playlists."""

    metrics_name = "PlaylistView"
    permission_classes = (LoggedIn,)
    bodies = {"PATCH": PlaylistBody}

    @describe_command(
        "change_playlist", answers={200: PlaylistAnswer}, problems=(404,), is_conditional=True
    )
    def patch(self, call: Call, playlist_id: str) -> Answer:
        """Change the given properties."""
        changes = _encrypted(call.user_id, call.body)
        return _answer(
            playlist_id,
            _handle(call, ChangePlaylist(**_common_fields(call, playlist_id), **changes)),
        )

    @describe_command("delete_playlist", answers={204: None}, problems=(404,), is_conditional=True)
    def delete(self, call: Call, playlist_id: str) -> Answer:
        """Delete the playlist."""
        handled = _handle(call, DeletePlaylist(**_common_fields(call, playlist_id)))
        return Answer(handled.position, status=204)


class PlaylistMovieView(CommandView):
    """A movie in one of my playlists."""

    permission_classes = (LoggedIn,)
    bodies = {"PUT": PlaceBody}
    bodies_optional = frozenset({"PUT"})

    @describe_command(
        "put_into_playlist", answers={200: PlaceAnswer}, problems=(404,), is_conditional=True
    )
    def put(self, call: Call, playlist_id: str, movie_id: int) -> Answer:
        """Put the movie at a position; without one a new movie comes last, others stay."""
        command = PutMovie(
            **_common_fields(call, playlist_id),
            movie_id=movie_id,
            is_withdrawn=is_withdrawn(movie_id),
            **call.body,
        )
        handled = _handle(call, command)
        position = handled.state.movies.index(movie_id)
        return _answer(playlist_id, handled, movie_id=movie_id, position=position)

    @describe_command(
        "take_from_playlist", answers={204: None}, problems=(404,), is_conditional=True
    )
    def delete(self, call: Call, playlist_id: str, movie_id: int) -> Answer:
        """Remove the movie from the playlist."""
        handled = _handle(call, RemoveMovie(**_common_fields(call, playlist_id), movie_id=movie_id))
        return Answer(handled.position, status=204, version=handled.state.version)


def _common_fields(call: Call, playlist_id: str) -> dict[str, Any]:
    return {
        "playlist_id": playlist_id,
        "user_id": call.user_id,
        "versions": versions(call.if_match),
    }


def _handle(call: Call, command: PlaylistChange) -> Handled[PlaylistState]:
    """Handle the command; ids that can't be the sender's are refused without a look-up."""
    store = event_store.store()
    try:
        partition = playlist_ids.partition_of_playlist(command.playlist_id)
    except playlist_ids.InvalidPlaylistId as error:
        raise not_found() from error
    if partition != partition_of(str(command.user_id), store.partitions):
        raise not_found()
    return handle(command, _playlist, store, origin=call.origin)


def _encrypted(user: UUID, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties with their texts encrypted; an empty text becomes None."""
    properties = dict(body)
    for field in _FIELDS:
        if field in properties:
            text = properties[field]
            properties[field] = _encrypt(user, field, text) if text else None
    return properties


def _encrypt(user: UUID, field: str, text: str) -> PlaylistText:
    key = _decryptor.key_of(user)
    if key is None:
        raise Unauthenticated("This account was erased.")
    return PlaylistText(text, encrypt_field(key, subject=user, field=_FIELDS[field], text=text))


def _answer(
    playlist_id: str, handled: Handled[PlaylistState], *, status: int = 200, **more: Any
) -> Answer:
    version = handled.state.version
    data = {"id": playlist_id, "version": version, **more}
    return Answer(handled.position, data, status=status, version=version)
