"""Playlists over HTTP: changed by their owner only."""

import threading

import pytest

from command_api.event_store import store
from events.catalogue import MovieAdded, PlaylistShown, Visibility
from events.playlist_ids import partition_of_playlist, playlist_id
from events.position_token import decode_positions
from events.recorded import partition_of
from events.vault.decryption import EventDecryptor
from events.vault.models import Subject
from tests.command_api.conftest import ALIEN, HEAT, Api, fields, in_thread, log_rows

PLAYLISTS = "/v1/playlists"
rolled_back = pytest.mark.django_db(databases=["default", "vault"])


def types():
    return [type_ for type_, _ in log_rows()]


def events(person):
    """Return the user's events, decrypted; movies' events may share the partition."""
    partition = partition_of(str(person.user_id), store().partitions)
    page = store().page(partition, after=0, limit=100)
    opened = [recorded.event for recorded in EventDecryptor().decrypt_all(page)]
    return [event for event in opened if not isinstance(event, MovieAdded)]


@pytest.fixture
def create_playlist(api, ann):
    """Create a playlist of Ann and return its path."""

    def _create_playlist(name="Noir", **more):
        answer = api("POST", PLAYLISTS, {"name": name} | more, by=ann)
        assert answer.status_code == 201
        return f"{PLAYLISTS}/{answer.json()['id']}"

    return _create_playlist


def put(api, path, movie, position=None, *, by, **headers):
    body = {} if position is None else {"position": position}
    return api("PUT", f"{path}/movies/{movie}", body, by=by, **headers)


@rolled_back
def test_playlist_is_created(api, ann):
    body = {"name": " Noir ", "description": "Dark streets", "visibility": "public"}
    answer = api("POST", PLAYLISTS, body, by=ann)
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "version": 1}
    assert answer.headers["ETag"] == '"1"'
    [position] = decode_positions(answer.headers["Log-Position"])
    assert position.partition == partition_of_playlist(answer.json()["id"])
    [recorded] = store().page(position.partition, after=position.offset - 1, limit=9)
    assert recorded.stream == f"playlist-{answer.json()['id']}"
    [event] = events(ann)
    assert (event.name, event.description, event.visibility) == ("Noir", "Dark streets", "public")
    assert (event.playlist_id, event.user_id) == (answer.json()["id"], ann.user_id)


@rolled_back
def test_playlist_texts_are_encrypted_in_the_log(api, create_playlist, ann):
    path = create_playlist("Geheimnis", description="Verborgen")
    api("PATCH", path, {"name": "Raunen", "description": "Still"}, by=ann)
    assert len(log_rows()) == 3
    text = repr(log_rows())
    assert not [word for word in ("Geheimnis", "Verborgen", "Raunen", "Still") if word in text]


@rolled_back
def test_playlist_properties_are_changed(api, create_playlist, ann):
    path = create_playlist(description="Dark")
    answer = api("PATCH", path, {"name": "Night", "visibility": "public"}, by=ann)
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
    assert answer.headers["ETag"] == '"3"'
    assert api("PATCH", path, {"description": ""}, by=ann).json()["version"] == 4
    assert types()[1:] == [
        "playlist-renamed.v1",
        "playlist-shown.v1",
        "playlist-described.v1",
    ]
    assert events(ann)[1].name == "Night"
    assert events(ann)[3].description is None


@rolled_back
def test_playlist_change_to_the_same_values_appends_nothing(api, create_playlist, ann):
    path = create_playlist("Noir", description="Dark")
    first = api("PATCH", path, {"name": "Night"}, by=ann)
    api("PUT", f"/v1/movies/{ALIEN}/favourite", by=ann)
    for body in ({"name": "Night"}, {"description": "Dark", "visibility": "private"}, {}):
        repeated = api("PATCH", path, body, by=ann)
        assert (repeated.status_code, repeated.content) == (200, first.content)
        assert repeated.headers["Log-Position"] == first.headers["Log-Position"]
    assert len(log_rows()) == 3


@rolled_back
def test_playlist_movies_are_added_moved_and_removed(api, create_playlist, ann):
    path = create_playlist()
    answer = put(api, path, ALIEN, by=ann)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.json() == {
        "id": path.rpartition("/")[2],
        "version": 2,
        "movie_id": ALIEN,
        "position": 0,
    }
    assert put(api, path, HEAT, 0, by=ann).json()["position"] == 0
    assert put(api, path, HEAT, 1, by=ann).json()["version"] == 4
    answer = api("DELETE", f"{path}/movies/{ALIEN}", by=ann)
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (204, b"", '"5"')
    assert types()[1:] == [
        "playlist-movie-added.v1",
        "playlist-movie-added.v1",
        "playlist-movie-moved.v1",
        "playlist-movie-removed.v1",
    ]
    assert api("DELETE", f"{path}/movies/{ALIEN}", by=ann).status_code == 404


@rolled_back
def test_playlist_movie_put_without_a_body_keeps_its_position(api, create_playlist, ann):
    path = create_playlist()
    first = api("PUT", f"{path}/movies/{ALIEN}", by=ann, Content_Type="")
    put(api, path, HEAT, by=ann)
    repeated = api("PUT", f"{path}/movies/{ALIEN}", by=ann, Content_Type="")
    assert (first.status_code, repeated.status_code) == (200, 200)
    assert repeated.json()["position"] == 0
    assert len(log_rows()) == 3


@rolled_back
def test_playlist_deleted_is_not_found(api, create_playlist, ann):
    path = create_playlist()
    answer = api("DELETE", path, by=ann)
    assert (answer.status_code, answer.content) == (204, b"")
    assert types() == ["playlist-created.v1", "playlist-deleted.v1"]
    for method, address, body in every_change(path):
        assert api(method, address, body, by=ann).status_code == 404
    assert len(log_rows()) == 2


def every_change(path):
    return [
        ("PATCH", path, {"name": "Mine"}),
        ("DELETE", path, None),
        ("PUT", f"{path}/movies/{ALIEN}", {}),
        ("DELETE", f"{path}/movies/{ALIEN}", None),
    ]


@rolled_back
@pytest.mark.parametrize("visibility", ["private", "public"])
def test_playlist_of_another_user_is_not_found(api, create_playlist, ann, person, visibility):
    """A stranger gets the same bytes as for a playlist that never existed."""
    path = create_playlist(visibility=visibility)
    put(api, path, ALIEN, by=ann)
    before = log_rows()
    bob = _neighbour(person, ann)
    nowhere = f"{PLAYLISTS}/{playlist_id(str(bob.user_id), store().partitions, bytes(10))}"
    for existing, missing in zip(every_change(path), every_change(nowhere), strict=True):
        answers = [
            (answer.status_code, answer.content, answer.headers.get("ETag"))
            for method, address, body in (existing, missing)
            for answer in (
                api(method, address, body, by=bob),
                api(method, address, body, by=bob, If_Match='"1"'),
            )
        ]
        assert answers[0][0] == 404
        assert len(set(answers)) == 1
    assert log_rows() == before


def _neighbour(person, ann):
    """A user in the same partition, where even the stream is found."""
    partitions = store().partitions
    while True:
        bob = person()
        if partition_of(str(bob.user_id), partitions) == partition_of(str(ann.user_id), partitions):
            return bob


@rolled_back
@pytest.mark.parametrize(
    "garbage", ["x", "7", "0" * 22, "0" * 24, "g" * 23, "A" * 23, "%00" * 23, "é" * 23, "9" * 5000]
)
def test_playlist_with_a_malformed_id_is_not_found(api, ann, garbage):
    for method, path, body in every_change(f"{PLAYLISTS}/{garbage}"):
        answer = api(method, path, body, by=ann)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@rolled_back
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("movie", ["999", "2147483648", "9" * 30])
def test_playlist_refuses_an_unknown_movie(api, create_playlist, ann, method, movie):
    path = create_playlist()
    assert api(method, f"{path}/movies/{movie}", by=ann).status_code == 404
    assert len(log_rows()) == 1


@rolled_back
def test_playlist_change_with_if_match_needs_the_version(api, create_playlist, ann):
    path = create_playlist()
    moves = [
        ("PATCH", path, {"name": "Night"}),
        ("PUT", f"{path}/movies/{ALIEN}", {}),
        ("DELETE", f"{path}/movies/{ALIEN}", None),
        ("DELETE", path, None),
    ]
    for version, (method, address, body) in enumerate(moves, start=1):
        for other in (f'"{version + 1}"', f'W/"{version}"', '"abc"', f'"0{version}"', '"0", "99"'):
            answer = api(method, address, body, by=ann, If_Match=other)
            assert answer.status_code == 412
            assert answer.json()["type"] == "/problems/precondition-failed"
        fits = ["*", f'"{version}"', f'"77" , "{version}"'][version % 3]
        assert api(method, address, body, by=ann, If_Match=fits).status_code in (200, 204)
    assert len(log_rows()) == 5
    assert api("PATCH", path, {"name": "Night"}, by=ann, If_Match="*").status_code == 404


@rolled_back
@pytest.mark.parametrize("header", ["1", "", '"1', '"1" "2"', '"1",', "'1'", "*, *", '"' * 99999])
def test_playlist_change_refuses_a_malformed_if_match(api, create_playlist, ann, header):
    answer = api("PATCH", create_playlist(), {"name": "Night"}, by=ann, If_Match=header)
    assert (answer.status_code, fields(answer)) == (422, ["If-Match"])
    assert len(log_rows()) == 1


LONG = "x" * 10_000


@rolled_back
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "  "),
        ("name", "x" * 101),
        ("name", LONG),
        ("name", None),
        ("name", 7),
        ("name", ["Noir"]),
        ("name", "a\0b"),
        ("description", "x" * 1001),
        ("description", 7),
        ("visibility", "friends"),
        ("visibility", "Public"),
        ("visibility", None),
        ("visibility", True),
        ("movies", [ALIEN]),
        ("id", "x"),
        ("version", 1),
    ],
)
def test_playlist_refuses_invalid_properties(api, create_playlist, ann, field, value):
    path = create_playlist()
    for method, address in (("POST", PLAYLISTS), ("PATCH", path)):
        answer = api(method, address, {"name": "Noir"} | {field: value}, by=ann)
        assert (answer.status_code, fields(answer)) == (422, [field])
    assert len(log_rows()) == 1


@rolled_back
def test_playlist_accepts_texts_of_the_longest_length_in_any_script(api, create_playlist, ann):
    create_playlist("夜" * 100, description="🌃" * 1000)
    assert events(ann)[0].name == "夜" * 100


@rolled_back
def test_playlist_needs_a_name(api, ann):
    answer = api("POST", PLAYLISTS, {}, by=ann)
    assert (answer.status_code, fields(answer)) == (422, ["name"])


@rolled_back
@pytest.mark.parametrize("position", [-1, 2, 2000, "0", 1.0, True, None, 10**30, [], LONG])
def test_playlist_refuses_a_position_outside(api, create_playlist, ann, position):
    path = create_playlist()
    put(api, path, HEAT, by=ann)
    answer = api("PUT", f"{path}/movies/{ALIEN}", {"position": position}, by=ann)
    assert (answer.status_code, fields(answer)) == (422, ["position"])
    assert len(log_rows()) == 2


@rolled_back
@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"name": "a", "x": "' + b"y" * 262_144 + b'"}', "application/json", 413),
        (b"name=Noir", "application/x-www-form-urlencoded", 415),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
    ],
    ids=lambda value: str(value)[:24],
)
def test_playlist_refuses_unreadable_bodies(api, create_playlist, ann, raw, kind, status):
    path = create_playlist()
    for method, address in (
        ("POST", PLAYLISTS),
        ("PATCH", path),
        ("PUT", f"{path}/movies/{ALIEN}"),
    ):
        answer = api(method, address, raw, by=ann, Content_Type=kind)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
    for method, address in (("POST", PLAYLISTS), ("PATCH", path)):
        assert api(method, address, b"", by=ann, Content_Type="").status_code == 415
    assert len(log_rows()) == 1


@rolled_back
def test_playlist_commands_need_a_token(api, create_playlist):
    path = create_playlist()
    for method, address, body in [("POST", PLAYLISTS, {"name": "x"}), *every_change(path)]:
        assert api(method, address, body).status_code == 401
        assert api(method, address, body, Authorization="Bearer x.y.z").status_code == 401
    assert len(log_rows()) == 1


@rolled_back
def test_playlist_refuses_other_methods(api, create_playlist, ann):
    for path, allowed in (
        (PLAYLISTS, "POST, OPTIONS"),
        (create_playlist(), "PATCH, DELETE, OPTIONS"),
        (f"{create_playlist()}/movies/{ALIEN}", "PUT, DELETE, OPTIONS"),
    ):
        answer = api("GET", path, by=ann)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


@rolled_back
def test_playlist_command_repeated_with_its_key_is_done_once(api, ann):
    first, repeated = (
        api("POST", PLAYLISTS, {"name": "Noir"}, by=ann, Idempotency_Key="k") for _ in "ab"
    )
    assert (repeated.status_code, repeated.content) == (201, first.content)
    for header in ("ETag", "Log-Position"):
        assert repeated.headers[header] == first.headers[header]
    path = f"{PLAYLISTS}/{first.json()['id']}"
    sent = {"Idempotency_Key": "l", "If_Match": '"1"'}
    first, repeated = (put(api, path, ALIEN, by=ann, **sent) for _ in "ab")
    assert (repeated.status_code, repeated.content) == (200, first.content)
    assert repeated.headers["ETag"] == first.headers["ETag"] == '"2"'
    other = api("POST", PLAYLISTS, {"name": "Other"}, by=ann, Idempotency_Key="k")
    assert (other.status_code, fields(other)) == (422, ["Idempotency-Key"])
    assert len(log_rows()) == 2


@rolled_back
def test_playlist_texts_of_a_user_erased_meanwhile_are_refused(api, ann, monkeypatch):
    api("PUT", f"/v1/movies/{ALIEN}/hidden", by=ann)  # caches the status of her session
    monkeypatch.setattr("command_api.playlists.api._decryptor._cache", {})
    Subject.objects.filter(user_id=ann.user_id).update(
        state="erased", username_hmac=None, email_hmac=None, key=None, password_hash=None
    )
    assert api("POST", PLAYLISTS, {"name": "Noir"}, by=ann).status_code == 401
    assert types() == ["movie-hidden.v1"]


def test_concurrent_playlist_changes_with_if_match_have_one_winner(api, create_playlist, ann):
    path = create_playlist()
    statuses: list[int] = []
    start = threading.Barrier(4)

    def rename(name):
        start.wait()
        answer = Api()("PATCH", path, {"name": name}, by=ann, If_Match='"1"')
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=in_thread(rename), args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(statuses) == [200, 412, 412, 412]
    assert types() == ["playlist-created.v1", "playlist-renamed.v1"]


def test_playlist_change_that_always_conflicts_is_answered_409(
    api, create_playlist, ann, monkeypatch
):
    """Another writer changes the playlist between each read and append."""
    path = create_playlist()
    real = type(store()).append

    def append_after_a_rival(self, stream, events, *, expected, origin, occurred_at=None):
        visibility: Visibility = "public" if expected % 2 else "private"
        rival = PlaylistShown(playlist_id=path[-23:], user_id=ann.user_id, visibility=visibility)
        real(self, stream, [rival], expected=expected, origin=origin)
        return real(self, stream, events, expected=expected, origin=origin)

    monkeypatch.setattr(type(store()), "append", append_after_a_rival)
    answer = api("PATCH", path, {"name": "Night"}, by=ann)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
