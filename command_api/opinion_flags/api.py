"""HTTP endpoints that mark a movie as a favourite or hide it from recommendations."""

from typing import Any

from rest_framework import serializers

from command_api import event_store
from command_api.aggregate import handle
from command_api.catalogue.movie_lookup import is_withdrawn
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.opinion_flags.decider import (
    FavouriteMovie,
    FlagAggregate,
    FlagCommand,
    HideMovie,
    UnfavouriteMovie,
    UnhideMovie,
    favourite,
    hidden,
)
from infra.http.permissions import LoggedIn


class FavouriteAnswer(serializers.Serializer[Any]):
    """The flag as it is now."""

    movie_id = serializers.IntegerField()
    favourite = serializers.BooleanField()


class HidingAnswer(serializers.Serializer[Any]):
    """The flag as it is now."""

    movie_id = serializers.IntegerField()
    hidden = serializers.BooleanField()


class FavouriteView(CommandView):
    """My favourite flag on a movie."""

    permission_classes = (LoggedIn,)

    @describe_command("favourite", answers={200: FavouriteAnswer}, problems=(404,))
    def put(self, call: Call, movie_id: int) -> Answer:
        """Make the movie a favourite."""
        command = FavouriteMovie(call.user_id, movie_id, is_withdrawn(movie_id))
        return _set(call, command, favourite, "favourite")

    @describe_command("unfavourite", answers={204: None}, problems=(404,))
    def delete(self, call: Call, movie_id: int) -> Answer:
        """Remove the movie from my favourites."""
        return _clear(call, UnfavouriteMovie(call.user_id, movie_id), favourite)


class HiddenView(CommandView):
    """My hidden flag on a movie."""

    permission_classes = (LoggedIn,)

    @describe_command("hide", answers={200: HidingAnswer}, problems=(404,))
    def put(self, call: Call, movie_id: int) -> Answer:
        """Stop recommending the movie to me."""
        command = HideMovie(call.user_id, movie_id, is_withdrawn(movie_id))
        return _set(call, command, hidden, "hidden")

    @describe_command("unhide", answers={204: None}, problems=(404,))
    def delete(self, call: Call, movie_id: int) -> Answer:
        """Allow the movie to be recommended to me again."""
        return _clear(call, UnhideMovie(call.user_id, movie_id), hidden)


def _set(call: Call, command: FlagCommand, flag: FlagAggregate, field: str) -> Answer:
    handled = handle(command, flag, event_store.store(), origin=call.origin)
    return Answer(handled.position, {"movie_id": command.movie_id, field: handled.state.is_set})


def _clear(call: Call, command: FlagCommand, flag: FlagAggregate) -> Answer:
    handled = handle(command, flag, event_store.store(), origin=call.origin)
    return Answer(handled.position, status=204)
