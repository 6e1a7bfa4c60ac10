"""Calibration server: an empty Django view, and a DRF view with one INSERT."""

from datetime import UTC, datetime
from uuid import uuid4

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


def empty(_request: HttpRequest) -> HttpResponse:
    """An empty response."""
    return HttpResponse()


class Insert(APIView):
    """One bare INSERT of an event's row, committed."""

    def post(self, _request: Request) -> Response:
        """Insert a row into a copy of the events table whose offsets come from a sequence."""
        now, user = datetime.now(UTC), uuid4()
        data = (
            f'{{"type":"movie-rated.v1","user_id":"{user}","movie_id":1,"score":8,"previous":null}}'
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO plain (partition, stream, version, type, data, occurred_at,"
                " recorded_at, correlation_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [user.int % 64, f"rating-{user}-1", 1, "movie-rated.v1", data, now, now, str(user)],
            )
        return Response({})


urlpatterns = [path("empty", empty), path("insert", Insert.as_view())]
