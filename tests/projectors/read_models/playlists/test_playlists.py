"""Public playlists: order, search in names, paging."""

from datetime import timedelta
from uuid import UUID

import pytest

from events.catalogue import PlaylistCreated, PlaylistDeleted, PlaylistRenamed, PlaylistShown
from events.catalogue.accounts import EncryptedField
from projectors.read_models.playlists import read_model
from projectors.read_models.playlists.read_model import Playlists
from tests.fixtures import model_access
from tests.fixtures.recording import NOON

ANN = UUID(int=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def playlists(redis):
    return Playlists(redis, 1)


@pytest.fixture
def apply_event(playlists, recording):
    def apply_event(event, *, at=NOON):
        recorded = recording.record(event, at=at)
        model_access.apply(playlists, [recorded])
        model_access.apply(playlists, [recorded])

    return apply_event


def created(id_, name="x", visibility="public"):
    return PlaylistCreated(
        playlist_id=id_, user_id=ANN, name=EncryptedField(name), visibility=visibility
    )


def shown(id_, visibility):
    return PlaylistShown(playlist_id=id_, user_id=ANN, visibility=visibility)


def ids(playlists, *words, limit=10):
    return [playlist.id for playlist in playlists.newest(words, limit=limit, after=None).playlists]


def test_last_playlist_to_become_public_is_first(playlists, apply_event):
    apply_event(created("a"))
    apply_event(created("b", visibility="private"), at=NOON + SECOND)
    apply_event(created("c"), at=NOON + 2 * SECOND)
    assert ids(playlists) == ["c", "a"]
    apply_event(shown("b", "public"), at=NOON + 3 * SECOND)
    apply_event(shown("c", "private"), at=NOON + 4 * SECOND)
    assert ids(playlists) == ["b", "a"]
    apply_event(PlaylistDeleted(playlist_id="a", user_id=ANN))
    assert ids(playlists) == ["b"]


def test_playlist_search_matches_words_and_prefixes(playlists, apply_event):
    apply_event(created("a", "Été à la plage"))
    apply_event(created("b", "Rainy days"))
    assert ids(playlists, "ete") == ["a"]
    assert ids(playlists, "da", "rain") == ["b"]
    assert ids(playlists, "ainy") == []
    apply_event(PlaylistRenamed(playlist_id="b", user_id=ANN, name=EncryptedField("Sunny days")))
    assert ids(playlists, "rainy") == []
    assert ids(playlists, "sunny") == ["b"]


def test_private_playlist_is_not_found(playlists, apply_event):
    apply_event(created("a", "Secret", visibility="private"))
    assert ids(playlists, "secret") == []


@pytest.mark.parametrize("at_once", [1, 3, 500])
@pytest.mark.parametrize("limit", [1, 4, 100])
def test_playlist_pages_have_no_gap_or_repeat(playlists, apply_event, monkeypatch, at_once, limit):
    monkeypatch.setattr(read_model, "_AT_ONCE", at_once)
    for number in range(12):  # some in one millisecond
        apply_event(created(f"{number:02}", f"n{number % 2}"), at=NOON + (number // 4) * SECOND)
    for words, expected in (((), 12), (("n1",), 6)):
        paged, after = [], None
        while True:
            page = playlists.newest(words, limit=limit, after=after)
            paged += [playlist.id for playlist in page.playlists]
            if (after := page.next) is None:
                break
        assert paged == sorted(paged, reverse=True)
        assert len(paged) == expected


def test_playlist_page_scans_a_bounded_number_of_names(playlists, apply_event, monkeypatch):
    monkeypatch.setattr(read_model, "_AT_ONCE", 2)
    monkeypatch.setattr(read_model, "MAX_SCANNED", 4)
    apply_event(created("a", "wanted"))
    for number in range(6):
        apply_event(created(f"x{number}"), at=NOON + SECOND)
    first = playlists.newest(["wanted"], limit=5, after=None)
    assert (first.playlists, first.next is not None) == ([], True)
    second = playlists.newest(["wanted"], limit=5, after=first.next)
    assert [playlist.id for playlist in second.playlists] == ["a"]
