"""HTTP endpoint that changes a user's preferences."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from command_api import event_store
from command_api.aggregate import handle
from command_api.catalogue.genres import GENRES
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.preferences.decider import ChangePreferences, preferences
from infra.http.permissions import LoggedIn
from infra.http.strict_json import StrictSerializer

_STRATEGY = r"\A[a-z0-9][a-z0-9-]{0,39}\Z"


def genre_list(*, required: bool) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(GENRES),
        max_length=len(GENRES),
        required=required,
    )


class PreferencesBody(StrictSerializer):
    """The preferences to change; the others stay."""

    genres = genre_list(required=False)
    public_activity = serializers.BooleanField(required=False)
    strategy = serializers.RegexField(
        _STRATEGY, required=False, allow_null=True, trim_whitespace=False
    )


class PreferencesAnswer(serializers.Serializer[Any]):
    """All preferences, as they are now."""

    genres = serializers.ListField(child=serializers.CharField())
    public_activity = serializers.BooleanField()
    strategy = serializers.CharField(allow_null=True)


class PreferencesView(CommandView):
    """My preferences."""

    permission_classes = (LoggedIn,)
    bodies = {"PUT": PreferencesBody}

    @describe_command("change_preferences", answers={200: PreferencesAnswer})
    def put(self, call: Call) -> Answer:
        """Change the given preferences; the answer has all of them."""
        changes: dict[str, Any] = dict(call.body)
        if "genres" in changes:
            changes["genres"] = tuple(changes["genres"])
        command = ChangePreferences(user_id=call.user_id, **changes)
        handled = handle(command, preferences, event_store.store(), origin=call.origin)
        return Answer(handled.position, asdict(handled.state))
