"""How does a user say "not for me" over HTTP?"""

from typing import Any

from rest_framework import serializers

from command_api import event_store
from command_api.aggregate import handle
from command_api.catalogue.movie_lookup import availability_of
from command_api.hidden.decider import HideMovie, UnhideMovie, hiding
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from infra.http.permissions import LoggedIn


class HidingAnswer(serializers.Serializer[Any]):
    """What is now in the log."""

    movie_id = serializers.IntegerField()
    hidden = serializers.BooleanField()


class HiddenView(CommandView):
    """A movie that is not for me."""

    permission_classes = (LoggedIn,)

    @describe_command("hide", answers={200: HidingAnswer}, problems=(404,))
    def put(self, call: Call, movie_id: int) -> Answer:
        """Never recommend the movie again."""
        command = HideMovie(call.user_id, movie_id, availability_of(movie_id))
        handled = handle(command, hiding, event_store.store(), origin=call.origin)
        return Answer(handled.position, {"movie_id": movie_id, "hidden": handled.state.is_hidden})

    @describe_command("unhide", answers={204: None}, problems=(404,))
    def delete(self, call: Call, movie_id: int) -> Answer:
        """Let it be recommended again."""
        command = UnhideMovie(call.user_id, movie_id)
        handled = handle(command, hiding, event_store.store(), origin=call.origin)
        return Answer(handled.position, status=204)
