"""Suggestions of movies while a user types."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers

from infra.http.openapi import operation
from infra.http.permissions import Anybody
from infra.http.strict_json import StrictQuery, encode
from projectors.read_models.suggestions.query_normalisation import normalise_query
from projectors.read_models.suggestions.read_model import Suggestions
from query_api.http import schemas
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import PreparedAnswer, ReadRequest
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView


class SuggestionsQuery(StrictQuery):
    """The text typed so far."""

    q = serializers.CharField(max_length=100)


class SuggestionsView(ReadView):
    """The most popular movies with a title word that begins with the text; ten at most."""

    permission_classes = (Anybody,)
    scope = "search"

    @operation(
        "suggestions",
        query=SuggestionsQuery,
        answers={200: schemas.SuggestionsList},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        body = request.answer(self.prepared(request))
        return self.respond(request, body or b"")  # never None: without matches the list is empty

    def prepared(self, request: ReadRequest, **path: Any) -> PreparedAnswer:
        text = normalise_query(SuggestionsQuery.of(request.query_string)["q"])
        suggestions = request.open(Suggestions)
        return PreparedAnswer(
            enqueue=lambda pipe: suggestions.enqueue(pipe, text),
            read=lambda results: encode(
                {"items": suggestions.read_suggestions(text, results[0]), "next": None}
            ),
            sources=(AnswerSource(suggestions, is_built=True),),
        )
