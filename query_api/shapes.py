"""What do answers look like? Only for the contract: answers are bytes that were made elsewhere."""

from typing import Any

from rest_framework import serializers


class Community(serializers.Serializer[Any]):
    """What the community says of a movie."""

    average = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()
    histogram = serializers.ListField(
        child=serializers.IntegerField(), help_text="votes for each score from 1 to 10"
    )


class Card(serializers.Serializer[Any]):
    """A movie."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    genres = serializers.ListField(child=serializers.CharField())
    cast = serializers.ListField(child=serializers.CharField())
    external_ids = serializers.DictField(child=serializers.CharField())
    overview = serializers.CharField(required=False)
    poster_url = serializers.CharField(required=False)
    community = Community()


class _Page(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="the cursor of the next page")


class TrendingItem(Card):
    """A movie that people act on."""

    heat = serializers.FloatField()


class TrendingPage(_Page):
    """The hottest movies."""

    items = TrendingItem(many=True)
    as_of = serializers.DateTimeField()


class RatedItem(Card):
    """A movie that I rated."""

    score = serializers.IntegerField()
    rated_at = serializers.DateTimeField()


class RatingsPage(_Page):
    """My ratings."""

    items = RatedItem(many=True)


class Reason(serializers.Serializer[Any]):
    """Why a movie is recommended."""

    because = serializers.ChoiceField(["rated", "favourite", "genre", "trending", "popular"])
    movie = serializers.IntegerField(required=False)
    genre = serializers.CharField(required=False)
    share = serializers.FloatField()


class RecommendedItem(Card):
    """A movie for me."""

    score = serializers.FloatField()
    reasons = Reason(many=True)


class RecommendationsPage(_Page):
    """My recommendations."""

    items = RecommendedItem(many=True)


class NameCount(serializers.Serializer[Any]):
    """How many movies have something in common."""

    name = serializers.CharField()
    count = serializers.IntegerField()


class GenresList(_Page):
    """All genres."""

    items = NameCount(many=True)


class FoundItem(Card):
    """A movie that fits."""

    highlight = serializers.CharField(help_text="the title as HTML, what was found in <em>")


class Facets(serializers.Serializer[Any]):
    """What all that fit have in common."""

    genres = NameCount(many=True)
    decades = NameCount(many=True)


class SearchPage(_Page):
    """What fits."""

    items = FoundItem(many=True)
    total = serializers.IntegerField()
    facets = Facets()
