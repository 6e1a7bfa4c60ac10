"""Line reader: encodings, archives, damage and length."""

import codecs
import gzip

import pytest

from infra import line_reader
from infra.line_reader import CUT_SHORT, DamagedFile

TEXT = "one\r\nAmélie \u2014 \u20ac\n\n\t\nend"
LINES = ["one", "Amélie \u2014 \u20ac", "", "\t", "end"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


@pytest.fixture
def read(path):
    def _read(content, **options):
        path.write_bytes(content)
        lines = line_reader.read(path, **options)
        return [(line.number, line.content, line.error) for line in lines]

    return _read


def test_line_ends_and_byte_order_mark_are_stripped(read):
    assert read(b"\xef\xbb\xbfone\r\ntwo\nthree") == [
        (1, b"one", None),
        (2, b"two", None),
        (3, b"three", None),
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"),
        lambda text: text.encode("cp1252"),
    ],
    ids=["utf-8", "with a mark", "utf-16-le", "utf-16-be", "utf-32", "cp1252"],
)
def test_file_is_read_alike_in_every_encoding_and_packing(read, encode, pack):
    lines = read(pack(encode(TEXT)))
    assert [content.decode() for _, content, _ in lines] == LINES
    assert {error for _, _, error in lines} == {None}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_is_read(read, encoding, end, pack):
    content = end.join(("Amélie", "", "x" * 100_000, "end")) + end
    lines = read(pack(content.encode(encoding)))
    assert [(number, line.decode()) for number, line, _ in lines] == [
        (1, "Amélie"),
        (2, ""),
        (3, "x" * 100_000),
        (4, "end"),
    ]


def test_bytes_without_a_meaning_in_windows_are_read_as_latin_1(read):
    [(_, content, error)] = read(b"\x81\xe9")
    assert (content.decode(), error) == ("\x81é", None)


def test_exact_file_must_be_utf_8(read):
    [good, (number, content, error)] = read("é\n".encode() + b"\xe9\n", is_exact=True)
    assert good == (1, "é".encode(), None)
    assert (number, content) == (2, b"")
    assert str(error).startswith("not UTF-8: ")


def test_gzipped_file_is_read_like_a_plain_one(read):
    assert read(gzip.compress(b"one\ntwo\n")) == read(b"one\ntwo\n")


def test_last_line_without_an_end_may_have_been_cut(path):
    path.write_bytes(b'{"a": 1}\n{"b"')
    whole, cut = line_reader.read(path)
    fault = ValueError("not JSON")
    assert (whole.why_unreadable(fault), cut.why_unreadable(fault)) == ("not JSON", CUT_SHORT)


def test_blank_lines_are_told_from_those_with_an_error(path):
    path.write_bytes(b"\n \t\r\na\n" + b"x" * 2_000_000)
    assert [line.is_blank for line in line_reader.read(path)] == [True, True, False, False]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_line_that_is_too_long_is_an_error_and_the_next_is_read(read, encoding):
    [long, after] = read(("x" * 2_500_000 + "\nafter\n").encode(encoding))
    assert long == (1, b"", "longer than 1000000 bytes")
    assert after == (2, b"after", None)


ARCHIVE = gzip.compress(b"".join(b"line %d\n" % n for n in range(1000)))
FLIPPED = ARCHIVE[:-6] + bytes([ARCHIVE[-6] ^ 0xFF]) + ARCHIVE[-5:]
MIDDLE = len(ARCHIVE) // 2
TORN = ARCHIVE[:MIDDLE] + b"\xff" * 40 + ARCHIVE[MIDDLE + 40 :]
DAMAGES = [
    (ARCHIVE[: len(ARCHIVE) // 2], "the file was cut short here"),
    (FLIPPED, "the file is damaged from here on: CRC check failed"),
]


@pytest.mark.parametrize(("content", "reason"), DAMAGES)
def test_damaged_archive_ends_with_a_damaged_line(tmp_path, content, reason):
    path = tmp_path / "file"
    path.write_bytes(content)
    *good, last = line_reader.read(path)
    assert len(good) > 10
    assert not any(line.error or line.is_damaged for line in good)
    assert last.is_damaged
    assert str(last.error).startswith(reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        *DAMAGES,
        (TORN, "the file "),
        (ARCHIVE + b"rest", "the file is damaged from here on: Not a gzipped file"),
        (ARCHIVE + ARCHIVE[:20], "the file was cut short here"),
        (ARCHIVE[:12], "the file was cut short here"),
        (b"\x1e" + ARCHIVE[1:], "the file is damaged: it is not gzipped"),
        (ARCHIVE[:1] + b"\x8a" + ARCHIVE[2:], "the file is damaged: it is not gzipped"),
        (ARCHIVE[100:], "the file is damaged: it is not gzipped"),
        (b"\0" * 512, "the file is damaged: it is not gzipped"),
    ],
)
def test_damaged_archive_is_refused_before_it_is_used(tmp_path, content, reason):
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=rf"^file\.gz:\d+: {reason}"):
        line_reader.refuse_damaged(path)


@pytest.mark.parametrize("name", ["file", "file.gz"])
@pytest.mark.parametrize(
    "content", [b"", b"plain", "wide".encode("utf-16"), ARCHIVE, ARCHIVE * 2, ARCHIVE + b"\0" * 512]
)
def test_whole_files_are_not_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    line_reader.refuse_damaged(path)


def test_wide_text_that_was_cut_within_a_character_ends_with_a_damaged_line(path):
    path.write_bytes("one\ntwo\n".encode("utf-16")[:-1])
    *_, last = line_reader.read(path)
    assert (last.is_damaged, last.error) == (True, CUT_SHORT)


def test_an_empty_file_has_no_lines(read):
    assert read(b"") == []
