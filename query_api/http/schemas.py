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


class Credit(serializers.Serializer[Any]):
    """Who made a movie, and as what."""

    name = serializers.CharField()
    job = serializers.CharField()


class Details(Card):
    """A movie with all that is known of it."""

    original_title = serializers.CharField(required=False)
    original_language = serializers.CharField(required=False, help_text="ISO 639-1")
    released_on = serializers.DateField(required=False)
    runtime_minutes = serializers.IntegerField(required=False)
    crew = Credit(many=True)
    keywords = serializers.ListField(child=serializers.CharField())
    titles = serializers.DictField(
        child=serializers.CharField(), help_text="in other languages, by ISO 639-1"
    )


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


class FavouriteItem(Card):
    """A movie that I keep."""

    favourited_at = serializers.DateTimeField()


class FavouritesPage(_Page):
    """My favourites."""

    items = FavouriteItem(many=True)


class HiddenItem(Card):
    """A movie that I never want to be recommended."""

    hidden_at = serializers.DateTimeField()


class HiddenPage(_Page):
    """What I hid."""

    items = HiddenItem(many=True)


class Preferences(serializers.Serializer[Any]):
    """What I like, and what others may see."""

    genres = serializers.ListField(child=serializers.CharField())
    public_activity = serializers.BooleanField()
    strategy = serializers.CharField(allow_null=True)


class Counts(serializers.Serializer[Any]):
    """How much I have."""

    ratings = serializers.IntegerField()
    favourites = serializers.IntegerField()
    hidden = serializers.IntegerField()
    playlists = serializers.IntegerField()


class Me(serializers.Serializer[Any]):
    """Who I am."""

    id = serializers.UUIDField()
    username = serializers.CharField(allow_null=True)
    preferences = Preferences()
    counts = Counts()


class Playlist(serializers.Serializer[Any]):
    """A playlist without its movies."""

    id = serializers.CharField()
    owner = serializers.CharField(allow_null=True, help_text="their username")
    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    visibility = serializers.ChoiceField(["private", "public"])
    version = serializers.IntegerField(help_text="what If-Match takes when it is changed")
    size = serializers.IntegerField(help_text="how many movies it has")
    followers = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PlaylistsPage(_Page):
    """Playlists."""

    items = Playlist(many=True)


class PlaylistItem(Card):
    """A movie of a playlist."""

    position = serializers.IntegerField(help_text="from 0")


class PlaylistPage(Playlist):
    """A playlist with a page of its movies."""

    items = PlaylistItem(many=True)
    next = serializers.CharField(allow_null=True, help_text="the cursor of the next page")


class Similarity(serializers.Serializer[Any]):
    """How alike two movies are."""

    score = serializers.FloatField(help_text="0 to 1; shown as 0 to 100")
    support = serializers.IntegerField(help_text="how many people liked both")
    confidence = serializers.ChoiceField(["mostly content", "some", "strong"])


class SimilarItem(Card):
    """A movie like another."""

    similarity = Similarity()


class SimilarPage(_Page):
    """Movies like another, the most alike first."""

    items = SimilarItem(many=True)


class Suggestion(serializers.Serializer[Any]):
    """A movie that someone may be about to type."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)


class SuggestionsList(_Page):
    """The most popular that fit, at most ten."""

    items = Suggestion(many=True)


class Reason(serializers.Serializer[Any]):
    """Why a movie is recommended."""

    because = serializers.ChoiceField(["rated", "favourite", "genre", "trending", "popular"])
    movie = serializers.IntegerField(required=False)
    title = serializers.CharField(required=False, help_text="that movie's")
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
