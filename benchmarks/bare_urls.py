"""What do an empty Django view and a DRF view with one bare INSERT cost?"""

from uuid import uuid4

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


def empty(_request: HttpRequest) -> HttpResponse:
    """Nothing."""
    return HttpResponse()


class Insert(APIView):
    """One bare INSERT, committed."""

    def post(self, _request: Request) -> Response:
        """Insert a row of a rating's size."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO bare (id, data) VALUES (%s, %s)",
                [str(uuid4()), '{"type":"movie-rated.v1","movie_id":1,"score":8,"previous":null}'],
            )
        return Response({})


urlpatterns = [path("empty", empty), path("insert", Insert.as_view())]
