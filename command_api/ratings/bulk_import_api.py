"""HTTP endpoint that imports a list of ratings."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest
from msgspec import Meta
from rest_framework import serializers

from command_api import event_store
from command_api.catalogue.movie_lookup import find_movies
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.ratings.bulk_import import (
    RatingInput,
    RatingOutcome,
    import_ratings,
    reject_invalid,
)
from command_api.ratings.decider import HIGHEST, LOWEST
from events.catalogue import Score
from infra.client_times import to_utc
from infra.errors import Invalid
from infra.http.permissions import LoggedIn
from infra.http.problem_details import listed
from infra.http.strict_json import StrictSerializer
from infra.rate_limit.sliding_window import Throttle, of_import
from infra.security.access_tokens import Identity

MAX_RATINGS = 1000
"""Takes about 0.1 s to read, decide and append; larger libraries come in several lists."""

MAX_REASONS = 10
"""Reasons given for one refused rating."""

_Time = Annotated[datetime, Meta(tz=True)]


class _ValidRating(msgspec.Struct, forbid_unknown_fields=True):
    """A valid rating; msgspec reads it a hundred times faster than DRF."""

    movie_id: Annotated[int, Meta(ge=1)]
    score: Score
    rated_at: _Time | None = None


class TimeField(serializers.DateTimeField):
    """A time with its UTC offset, converted to UTC; one without an offset is refused."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return to_utc(msgspec.convert(value, _Time))
        except (msgspec.ValidationError, ValueError) as error:
            raise serializers.ValidationError(
                "This must be a time with its UTC offset, like 2026-01-31T20:15:00Z."
            ) from error


class RatingBroughtBody(StrictSerializer):
    """A rating given at a time; without a time it counts as given now."""

    movie_id = serializers.IntegerField(min_value=1)
    score = serializers.IntegerField(min_value=LOWEST, max_value=HIGHEST)
    rated_at = TimeField(required=False, allow_null=True)


class RatingsBody(RatingBroughtBody):
    """A list of ratings; an invalid one does not affect the others."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """Read the list: each item becomes a RatingInput, or a RatingOutcome with its errors."""
        if not isinstance(data, list):
            raise Invalid("The body is not a list.", errors=[("", "This must be a list.")])
        if len(data) > MAX_RATINGS:
            reason = f"A list may have at most {MAX_RATINGS} ratings; send the others in a new one."
            raise Invalid("The list has too many ratings.", errors=[("", reason)])
        return {"ratings": [_read(item) for item in data]}


def _read(item: Any) -> RatingInput | RatingOutcome:
    try:
        valid = msgspec.convert(item, _ValidRating)
        at = valid.rated_at and to_utc(valid.rated_at)
    except (msgspec.ValidationError, ValueError):
        return _read_with_reasons(item)
    return RatingInput(valid.movie_id, valid.score, at)


def _read_with_reasons(item: Any) -> RatingInput | RatingOutcome:
    try:
        valid = RatingBroughtBody.read(item)
    except Invalid as error:
        return RatingOutcome("refused", errors=listed(error.errors, MAX_REASONS))
    return RatingInput(valid["movie_id"], valid["score"], valid.get("rated_at"))


class ReasonAnswer(serializers.Serializer[Any]):
    """An invalid field of a rating."""

    field = serializers.CharField()
    reason = serializers.CharField()


class OutcomeAnswer(serializers.Serializer[Any]):
    """The outcome of one rating of the list."""

    index = serializers.IntegerField()
    result = serializers.ChoiceField(("taken", "unchanged", "refused"))
    reason = serializers.CharField(required=False)
    errors = ReasonAnswer(many=True, required=False)  # type: ignore[assignment]  # DRF takes fields off the class


class ImportAnswer(serializers.Serializer[Any]):
    """The outcomes: counts, and each rating's in the order of the list."""

    taken = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = OutcomeAnswer(many=True)


class RatingsImportView(CommandView):
    """Ratings given elsewhere."""

    permission_classes = (LoggedIn,)
    bodies = {"POST": RatingsBody}

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Limit imports: a list costs as much as a thousand commands."""
        return of_import(identity.user_id) if identity else super().throttle(request, identity)

    @describe_command(
        "import_ratings",
        answers={200: ImportAnswer},
        body=RatingBroughtBody(many=True),
    )
    def post(self, call: Call) -> Answer:
        """Import at most 1,000 ratings; an invalid one does not affect the others.

        For each movie the latest rating counts, unless I rated the movie later here.
        """
        now = datetime.now(UTC)
        outcomes = _checked(call.body["ratings"], now)
        ratings = {nth: it for nth, it in outcomes.items() if isinstance(it, RatingInput)}
        done = import_ratings(
            call.user_id, ratings, event_store.store(), now=now, origin=call.origin
        )
        return Answer(done.position, _report({**outcomes, **done.outcomes}), is_kept=bool(ratings))


def _checked(ratings: list[RatingInput | RatingOutcome], now: datetime) -> dict[int, Any]:
    """Return the ratings by index; those that break a rule are rejected."""
    movies = find_movies({it.movie_id for it in ratings if isinstance(it, RatingInput)})
    return {
        nth: (reject_invalid(it, movies=movies, now=now) or it)
        if isinstance(it, RatingInput)
        else it
        for nth, it in enumerate(ratings)
    }


def _report(outcomes: Mapping[int, RatingOutcome]) -> dict[str, Any]:
    results = [{"index": nth, **_outcome(outcomes[nth])} for nth in sorted(outcomes)]
    counts = dict.fromkeys(("taken", "unchanged", "refused"), 0)
    for result in results:
        counts[result["result"]] += 1
    return {**counts, "results": results}


def _outcome(outcome: RatingOutcome) -> dict[str, Any]:
    result, reason, errors = outcome
    return {
        "result": result,
        **({"reason": reason} if reason else {}),
        **({"errors": [error._asdict() for error in errors]} if errors else {}),
    }
