"""Who am I to Marquee, and how much do I have?"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from infra.http.openapi import operation
from infra.http.permissions import LoggedIn
from infra.http.strict_json import StrictQuery, encode
from projectors.read_models.library.read_model import Library, read_person
from query_api.http import schemas
from query_api.http.read_your_writes import Source
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView


class MeView(ReadView):
    """My name, my preferences, and how much I have."""

    permission_classes = (LoggedIn,)
    keep = "never"

    @operation(
        "me",
        answers={200: schemas.Me},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        StrictQuery.of(self.asking.query_string)
        library, user = self.asking.open(Library), self.asking.user_id
        found = self.asking.ask(lambda pipe: library.enqueue_person(pipe, user), Source(library))
        person = read_person(found)
        return self.respond(
            encode(
                {
                    "id": str(user),
                    "username": person.username,
                    "preferences": person.preferences,
                    "counts": person.counts,
                }
            )
        )
