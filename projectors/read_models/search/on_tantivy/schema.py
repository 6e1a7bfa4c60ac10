"""tantivy schema: fields of a movie's document.

Texts arrive folded, so the index only splits at spaces. The key of a document is a text, because
``delete_documents_by_term`` silently deletes nothing by a number in an unsigned field.
"""

import msgspec
import tantivy

from projectors.read_models.search.engine import IndexIdentity, VersionedDocument

KEY = "key"
IDENTITY_KEY = "mark"
"""Key of the document that holds the IndexIdentity; each commit rewrites it."""

_encode = msgspec.json.encode


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for exact in (KEY, "exact", "bare", "whole", "people"):
        builder.add_text_field(exact, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("genres", tokenizer_name="raw", index_option="basic", fast=True)
    for text in ("words", "compounds", "cast"):
        builder.add_text_field(text, tokenizer_name="whitespace", index_option="position")
    for name in ("words_typed", "cast_typed"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for number in ("id", "revision", "year", "votes"):
        builder.add_integer_field(number, indexed=True, fast=True)
    builder.add_float_field("average", indexed=True, fast=True)
    builder.add_bytes_field("content", stored=True)
    # Last: an index that an earlier version made, and that answers until it is rebuilt, lacks it.
    builder.add_integer_field("prominence", indexed=True, fast=True)
    return builder.build()


SCHEMA = _schema()


def movie_document(versioned: VersionedDocument) -> tantivy.Document:
    content = versioned.document
    document = tantivy.Document()
    document.add_text(KEY, str(versioned.movie))
    document.add_integer("revision", versioned.revision)
    document.add_bytes("content", _encode(content))
    document.add_integer("id", versioned.movie)
    if "votes" not in content:
        return document  # a tombstone: nothing but its key finds it
    for field in ("exact", "bare", "words", "compounds"):
        document.add_text(field, content[field])
    for field in ("whole", "people", "cast", "genres"):
        for text in content[field]:
            document.add_text(field, text)
    document.add_text("words_typed", guard_first_letters(content["words"]))
    for name in content["cast"]:
        document.add_text("cast_typed", guard_first_letters(name))
    document.add_integer("votes", content["votes"])
    document.add_float("average", content["average"])
    document.add_integer("prominence", content["prominence"])
    if content["year"] is not None:
        document.add_integer("year", content["year"])
    return document


def identity_document(identity: IndexIdentity) -> tantivy.Document:
    """The document that holds the index's identity."""
    document = tantivy.Document()
    document.add_text(KEY, IDENTITY_KEY)
    document.add_bytes("content", _encode(identity))
    return document


def guard_first_letters(text: str) -> str:
    """Repeat each first letter three times, which is more than two typos can change.

    So a typo never matches in the first letter, where nearly nobody makes one, and the fuzzy
    automaton reads the words of one letter only: 0.06 ms instead of 0.33.
    """
    return " ".join(word[0] * 2 + word for word in text.split())


def content_of(document: tantivy.Document) -> bytes:
    """The stored JSON: of a movie's document, or of the IndexIdentity."""
    return bytes(document.get_first("content") or b"")
