"""JSON payloads of the fake TMDb server: films, lists, pages and errors."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

LEFT_OUT: Final = object()
"""Value of a field that a test removes."""

GENRES: Sequence[Mapping[str, Any]] = [
    {"id": 28, "name": "Action"},
    {"id": 12, "name": "Adventure"},
    {"id": 16, "name": "Animation"},
    {"id": 35, "name": "Comedy"},
    {"id": 80, "name": "Crime"},
    {"id": 99, "name": "Documentary"},
    {"id": 18, "name": "Drama"},
    {"id": 10751, "name": "Family"},
    {"id": 14, "name": "Fantasy"},
    {"id": 36, "name": "History"},
    {"id": 27, "name": "Horror"},
    {"id": 10402, "name": "Music"},
    {"id": 9648, "name": "Mystery"},
    {"id": 10749, "name": "Romance"},
    {"id": 878, "name": "Science Fiction"},
    {"id": 10770, "name": "TV Movie"},
    {"id": 53, "name": "Thriller"},
    {"id": 10752, "name": "War"},
    {"id": 37, "name": "Western"},
]
_BY_NAME = {genre["name"]: genre for genre in GENRES} | {
    "Animated": GENRES[2],
    "Historical": GENRES[9],
    "Musical": GENRES[11],
}
_IN_LISTS = (
    "adult",
    "backdrop_path",
    "id",
    "original_language",
    "original_title",
    "overview",
    "popularity",
    "poster_path",
    "release_date",
    "title",
    "video",
    "vote_average",
    "vote_count",
)
APPENDED = ("credits", "keywords", "external_ids", "translations")


def film(film_id: int, line: Mapping[str, Any]) -> dict[str, Any]:
    """A film in full, derived from a catalogue line (deterministic)."""
    draw = int.from_bytes(sha256(str(film_id).encode()).digest()[:4])
    genres = [_BY_NAME[name] for name in line["genres"] if name in _BY_NAME]
    imdb = (line.get("external_ids") or {}).get("imdb") or f"tt{9_000_000 + film_id}"
    year = line["year"]
    return {
        "adult": False,
        "backdrop_path": None,
        "belongs_to_collection": None,
        "budget": 0,
        "genres": list({genre["id"]: genre for genre in genres}.values()),
        "homepage": "",
        "id": film_id,
        "imdb_id": imdb,
        "origin_country": ["US"],
        "original_language": "en",
        "original_title": line["title"],
        "overview": f"What happens in {line['title']}.",
        "popularity": draw % 100_000 / 100,
        "poster_path": f"/poster{film_id}.jpg",
        "production_companies": [],
        "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
        "release_date": f"{year}-03-02" if year else "",
        "revenue": 0,
        "runtime": 70 + draw % 80,
        "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
        "status": "Released",
        "tagline": "",
        "title": line["title"],
        "video": False,
        "vote_average": draw % 1000 / 100,
        "vote_count": draw % 5000,
        "credits": _credits(film_id, line["cast"]),
        "keywords": {"keywords": [{"id": 1 + draw % 50, "name": f"theme {draw % 50}"}]},
        "external_ids": {
            "imdb_id": imdb,
            "wikidata_id": f"Q{film_id}",
            "facebook_id": None,
            "instagram_id": None,
            "twitter_id": None,
        },
        "translations": {"translations": [_translation(line["title"])]},
    }


def details(film: Mapping[str, Any], appended: Sequence[str]) -> dict[str, Any]:
    """A film with the requested ``append_to_response`` fields only."""
    hidden = set(APPENDED) - set(appended)
    return {name: value for name, value in film.items() if name not in hidden}


def listed(film: Mapping[str, Any]) -> dict[str, Any]:
    """A film as an entry of a list."""
    return {name: film[name] for name in _IN_LISTS if name in film} | {
        "genre_ids": [genre["id"] for genre in film["genres"]]
    }


def page(results: Sequence[Any], number: int, size: int) -> dict[str, Any]:
    """Page ``number`` of a list."""
    return {
        "page": number,
        "results": results[(number - 1) * size : number * size],
        "total_pages": max(1, -(-len(results) // size)),
        "total_results": len(results),
    }


def problem(code: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"status_code": code, "status_message": message, "success": False}


CONFIGURATION = {
    "images": {
        "base_url": "http://image.tmdb.org/t/p/",
        "secure_base_url": "https://image.tmdb.org/t/p/",
        "backdrop_sizes": ["w300", "w780", "w1280", "original"],
        "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
        "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
        "profile_sizes": ["w45", "w185", "h632", "original"],
        "still_sizes": ["w92", "w185", "w300", "original"],
    },
    "change_keys": ["cast", "crew", "genres", "imdb_id", "overview", "release_date", "title"],
}


def _credits(film_id: int, cast: Sequence[str]) -> dict[str, Any]:
    return {
        "cast": [
            _person(name, film_id, nth)
            | {"cast_id": nth, "character": f"Somebody {nth + 1}", "order": nth}
            for nth, name in enumerate(cast)
        ],
        "crew": [
            _person(f"Director of {film_id % 97}", film_id, 100)
            | {"department": "Directing", "job": "Director"}
        ],
    }


def _person(name: str, film_id: int, nth: int) -> dict[str, Any]:
    return {
        "adult": False,
        "gender": 0,
        "id": int.from_bytes(sha256(name.encode()).digest()[:3]),
        "known_for_department": "Acting",
        "name": name,
        "original_name": name,
        "popularity": 1.0,
        "profile_path": None,
        "credit_id": f"{film_id:x}{nth:04x}",
    }


def _translation(title: str) -> dict[str, Any]:
    return {
        "iso_3166_1": "FR",
        "iso_639_1": "fr",
        "name": "Français",
        "english_name": "French",
        "data": {
            "homepage": "",
            "overview": "",
            "runtime": 0,
            "tagline": "",
            "title": f"{title} (version française)",
        },
    }
