"""How does a user make a movie a favourite over HTTP?"""

from typing import Any

from rest_framework import serializers

from command_api import event_store
from command_api.aggregate import handle
from command_api.catalogue.movie_lookup import availability_of
from command_api.favourites.decider import FavouriteMovie, UnfavouriteMovie, favourite
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from infra.http.permissions import LoggedIn


class FavouriteAnswer(serializers.Serializer[Any]):
    """What is now in the log."""

    movie_id = serializers.IntegerField()
    favourite = serializers.BooleanField()


class FavouriteView(CommandView):
    """A movie as my favourite."""

    permission_classes = (LoggedIn,)

    @describe_command("favourite", answers={200: FavouriteAnswer}, problems=(404,))
    def put(self, call: Call, movie_id: int) -> Answer:
        """Make the movie a favourite."""
        command = FavouriteMovie(call.user_id, movie_id, availability_of(movie_id))
        handled = handle(command, favourite, event_store.store(), origin=call.origin)
        data = {"movie_id": movie_id, "favourite": handled.state.is_one}
        return Answer(handled.position, data)

    @describe_command("unfavourite", answers={204: None}, problems=(404,))
    def delete(self, call: Call, movie_id: int) -> Answer:
        """Let it be none any more."""
        command = UnfavouriteMovie(call.user_id, movie_id)
        handled = handle(command, favourite, event_store.store(), origin=call.origin)
        return Answer(handled.position, status=204)
