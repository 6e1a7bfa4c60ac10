"""How does a user bring their ratings along over HTTP?"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest
from msgspec import Meta
from rest_framework import serializers

from command_api import event_store
from command_api.catalogue.movie_lookup import availabilities_of
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.ratings.bulk_import import (
    RatingAppended,
    RatingInput,
    RatingRejected,
    RatingUnchanged,
    import_ratings,
    reject_invalid,
)
from command_api.ratings.decider import HIGHEST, LOWEST
from events.catalogue import Score
from infra.errors import Invalid
from infra.http.permissions import LoggedIn
from infra.http.strict_json import StrictSerializer
from infra.rate_limit.sliding_window import Throttle, of_import
from infra.security.access_tokens import Identity

MOST = 1000
"""Read, decided and appended in about 0.1 s; a larger library comes in several lists."""

_Time = Annotated[datetime, Meta(tz=True)]


class _Plain(msgspec.Struct, forbid_unknown_fields=True):
    """A rating of the list as it usually is, read a hundred times faster than by DRF."""

    movie_id: Annotated[int, Meta(ge=1)]
    score: Score
    rated_at: _Time | None = None


class TimeField(serializers.DateTimeField):
    """A time that says of which place it is: one without an offset is refused, not guessed."""

    def to_internal_value(self, value: Any) -> datetime:
        """The time."""
        try:
            return msgspec.convert(value, _Time)
        except msgspec.ValidationError as error:
            raise serializers.ValidationError(
                "This must be a time with its offset, as 2026-01-31T20:15:00Z."
            ) from error


class RatingBroughtBody(StrictSerializer):
    """What a user thought of a movie, and when; now, if that is not said."""

    movie_id = serializers.IntegerField(min_value=1)
    score = serializers.IntegerField(min_value=LOWEST, max_value=HIGHEST)
    rated_at = TimeField(required=False, allow_null=True)


class RatingsBody(RatingBroughtBody):
    """A list of them; each is read by itself, and one that can't be does not spoil the others."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """The list, in which each is a rating or why it is none."""
        if not isinstance(data, list):
            raise Invalid("The ratings can't be read.", errors=[("", "This must be a list.")])
        if len(data) > MOST:
            reason = f"A list may have at most {MOST} ratings."
            raise Invalid("These are too many ratings.", errors=[("", reason)])
        return {"ratings": [_read(item) for item in data]}


def _read(item: Any) -> RatingInput | RatingRejected:
    try:
        plain = msgspec.convert(item, _Plain)
    except msgspec.ValidationError:
        return _read_closely(item)
    return RatingInput(plain.movie_id, plain.score, plain.rated_at)


def _read_closely(item: Any) -> RatingInput | RatingRejected:
    try:
        valid = RatingBroughtBody.read(item)
    except Invalid as error:
        return RatingRejected(error.errors)
    return RatingInput(valid["movie_id"], valid["score"], valid.get("rated_at"))


class ReasonAnswer(serializers.Serializer[Any]):
    """What is wrong with a field of a rating."""

    field = serializers.CharField()
    reason = serializers.CharField()


class OutcomeAnswer(serializers.Serializer[Any]):
    """What became of one rating of the list."""

    index = serializers.IntegerField()
    result = serializers.ChoiceField(("taken", "unchanged", "refused"))
    reason = serializers.CharField(required=False)
    errors = ReasonAnswer(many=True, required=False)  # type: ignore[assignment]  # DRF takes fields off the class


class ImportAnswer(serializers.Serializer[Any]):
    """What became of all, counted and one by one in the order of the list."""

    taken = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = OutcomeAnswer(many=True)


class RatingsImportView(CommandView):
    """Ratings that I gave elsewhere."""

    permission_classes = (LoggedIn,)
    bodies = {"POST": RatingsBody}

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """A list is worth a thousand commands."""
        if identity is None:
            return super().throttle(request, identity)
        return of_import(identity.user_id)

    @describe_command(
        "import_ratings",
        answers={200: ImportAnswer},
        body=RatingBroughtBody(many=True),
    )
    def post(self, call: Call) -> Answer:
        """Take over at most 1,000 ratings; those that can't be taken don't stop the others.

        For each movie the latest counts, and never one that is older than what is here already.
        """
        now = datetime.now(UTC)
        outcomes = _judged(call.body["ratings"], now)
        ratings = {nth: it for nth, it in outcomes.items() if isinstance(it, RatingInput)}
        done = import_ratings(
            call.user_id, ratings, event_store.store(), now=now, origin=call.origin
        )
        return Answer(done.position, _told({**outcomes, **done.outcomes}))


def _judged(ratings: list[RatingInput | RatingRejected], now: datetime) -> dict[int, Any]:
    """Each by its place, with what can't be taken whatever the log says rejected."""
    movies = availabilities_of({it.movie_id for it in ratings if isinstance(it, RatingInput)})
    return {
        nth: (reject_invalid(it, availabilities=movies, now=now) or it)
        if isinstance(it, RatingInput)
        else it
        for nth, it in enumerate(ratings)
    }


def _told(
    outcomes: Mapping[int, RatingAppended | RatingUnchanged | RatingRejected],
) -> dict[str, Any]:
    results = [{"index": nth, **_outcome(outcomes[nth])} for nth in sorted(outcomes)]
    counts = dict.fromkeys(("taken", "unchanged", "refused"), 0)
    for result in results:
        counts[result["result"]] += 1
    return {**counts, "results": results}


def _outcome(outcome: RatingAppended | RatingUnchanged | RatingRejected) -> dict[str, Any]:
    match outcome:
        case RatingAppended():
            return {"result": "taken"}
        case RatingUnchanged(reason=reason):
            return {"result": "unchanged", "reason": reason}
        case RatingRejected(errors=errors):
            return {"result": "refused", "errors": [error._asdict() for error in errors]}
