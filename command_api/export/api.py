"""HTTP endpoint that exports all data of a user."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers

from command_api import event_store
from command_api.export.exporter import lines
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from infra.errors import Unauthenticated
from infra.http import strict_json
from infra.http.permissions import LoggedIn
from infra.rate_limit.sliding_window import Throttle, of_import
from infra.security.access_tokens import Identity

MEDIA_TYPE = "application/jsonl"


class ExportAnswer(serializers.Serializer[Any]):
    """A line of the export; docs/how-to/take-your-data-along.md describes each kind."""

    kind = serializers.ChoiceField(
        ("account", "preferences", "rating", "favourite", "hidden", "playlist", "end")
    )


class ExportView(CommandView):
    """All my data."""

    permission_classes = (LoggedIn,)
    takes_idempotency_key = False

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Limit exports: one costs about as much as an import of ratings."""
        return of_import(identity.user_id) if identity else super().throttle(request, identity)

    def _answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Answer with one body, so that the server waits for slow clients and no thread does."""
        if request.method != "GET":
            return super()._answer(request, **kwargs)
        identity, rate = self.admit(request)
        if identity is None:
            raise Unauthenticated
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="marquee-export.jsonl"',
            **rate,
        }
        export = lines(identity.user_id, event_store.store())
        body = b"".join(strict_json.encode(line) + b"\n" for line in export)
        return HttpResponse(body, content_type=MEDIA_TYPE, headers=headers)

    @describe_command(
        "export_me", answers={200: ExportAnswer}, appends=False, media_type=MEDIA_TYPE
    )
    def get(self, call: Call) -> Answer:
        """Export all my data as JSON lines; the last line has their number."""
        raise NotImplementedError(call)  # answered by _answer
