"""HTTP endpoints that rate a movie and withdraw the rating."""

from typing import Any

from rest_framework import serializers

from command_api import event_store
from command_api.aggregate import handle
from command_api.catalogue.movie_lookup import is_withdrawn
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.ratings.decider import HIGHEST, LOWEST, RateMovie, WithdrawRating, rating
from infra.http.permissions import LoggedIn
from infra.http.strict_json import StrictSerializer


class RatingBody(StrictSerializer):
    """A rating."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """Validate the body; a valid one skips DRF, which would take 0.1 ms."""
        match data:
            case {"score": int(score), **more} if not more and type(score) is int:
                if LOWEST <= score <= HIGHEST:
                    return {"score": score}
        return super().read(data)

    score = serializers.IntegerField(min_value=LOWEST, max_value=HIGHEST)


class RatingAnswer(serializers.Serializer[Any]):
    """The rating as it is now."""

    movie_id = serializers.IntegerField()
    score = serializers.IntegerField()


class RatingView(CommandView):
    """My rating of a movie."""

    permission_classes = (LoggedIn,)
    bodies = {"PUT": RatingBody}

    @describe_command("rate", answers={200: RatingAnswer}, problems=(404, 409))
    def put(self, call: Call, movie_id: int) -> Answer:
        """Give the movie a score, or change the score."""
        command = RateMovie(call.user_id, movie_id, call.body["score"], is_withdrawn(movie_id))
        handled = handle(command, rating, event_store.store(), origin=call.origin)
        return Answer(handled.position, {"movie_id": movie_id, "score": handled.state.score})

    @describe_command("withdraw_rating", answers={204: None}, problems=(404,))
    def delete(self, call: Call, movie_id: int) -> Answer:
        """Withdraw my rating."""
        command = WithdrawRating(call.user_id, movie_id)
        handled = handle(command, rating, event_store.store(), origin=call.origin)
        return Answer(handled.position, status=204)
