"""My profile: name, preferences and counts."""

from typing import Any

from django.http import HttpResponse

from infra.http.openapi import operation
from infra.http.permissions import LoggedIn
from infra.http.strict_json import StrictQuery, encode
from projectors.read_models.library.read_model import Library, read_profile
from query_api.http import schemas
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import ReadRequest
from query_api.http.schemas import LibraryCounts, ProfileFields
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView


class MyProfileView(ReadView):
    """My name, my preferences, and the sizes of my lists."""

    permission_classes = (LoggedIn,)
    metrics_name = "MeView"
    cache_policy = "never"

    @operation(
        "me",
        answers={200: schemas.Me},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        StrictQuery.of(request.query_string)
        library, user = request.open(Library), request.user_id
        replies = request.fetch(
            lambda pipe: library.enqueue_profile(pipe, user), AnswerSource(library)
        )
        person = read_profile(replies)
        counts = LibraryCounts(**person.counts)
        profile = ProfileFields(user, person.username, person.preferences, counts)
        return self.respond(request, encode(profile))
