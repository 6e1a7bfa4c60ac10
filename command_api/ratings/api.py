"""How does a user rate a movie over HTTP?"""

from typing import Any

from rest_framework import serializers

from command_api import event_store
from command_api.aggregate import handle
from command_api.catalogue.movie_lookup import availability_of
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.ratings.decider import HIGHEST, LOWEST, RateMovie, WithdrawRating, rating
from infra.http.permissions import LoggedIn
from infra.http.strict_json import StrictSerializer


class RatingBody(StrictSerializer):
    """What a user thinks of a movie."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """The same as it would be otherwise; the usual case without DRF, which takes 0.1 ms."""
        match data:
            case {"score": int(score), **more} if not more and type(score) is int:
                if LOWEST <= score <= HIGHEST:
                    return {"score": score}
        return super().read(data)

    score = serializers.IntegerField(min_value=LOWEST, max_value=HIGHEST)


class RatingAnswer(serializers.Serializer[Any]):
    """What is now in the log."""

    movie_id = serializers.IntegerField()
    score = serializers.IntegerField()


class RatingView(CommandView):
    """My rating of a movie."""

    permission_classes = (LoggedIn,)
    bodies = {"PUT": RatingBody}

    @describe_command("rate", answers={200: RatingAnswer}, problems=(404, 409), body=RatingBody)
    def put(self, call: Call, movie_id: int) -> Answer:
        """Give the movie a score, for the first time or anew."""
        command = RateMovie(call.user_id, movie_id, call.body["score"], availability_of(movie_id))
        handled = handle(command, rating, event_store.store(), origin=call.origin)
        return Answer(handled.position, {"movie_id": movie_id, "score": handled.state.score})

    @describe_command("withdraw_rating", answers={204: None}, problems=(404,))
    def delete(self, call: Call, movie_id: int) -> Answer:
        """Take the score back."""
        command = WithdrawRating(call.user_id, movie_id)
        handled = handle(command, rating, event_store.store(), origin=call.origin)
        return Answer(handled.position, status=204)
