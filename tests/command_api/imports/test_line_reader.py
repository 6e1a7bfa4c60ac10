"""Line reader: plain, gzipped, damaged and too long."""

import gzip

import pytest

from command_api.imports import line_reader


@pytest.fixture
def read(tmp_path):
    def _read(content):
        path = tmp_path / "file"
        path.write_bytes(content)
        return [(line.number, line.content, line.error) for line in line_reader.read(path)]

    return _read


def test_line_ends_and_byte_order_mark_are_stripped(read):
    assert read(b"\xef\xbb\xbfone\r\ntwo\nthree") == [
        (1, b"one", None),
        (2, b"two", None),
        (3, b"three", None),
    ]


def test_gzipped_file_is_read_like_a_plain_one(read):
    assert read(gzip.compress(b"one\ntwo\n")) == read(b"one\ntwo\n")


def test_line_that_is_too_long_is_an_error_and_the_next_is_read(read):
    [long, after] = read(b"x" * 2_500_000 + b"\nafter\n")
    assert long == (1, b"", "longer than 1000000 bytes")
    assert after == (2, b"after", None)


ARCHIVE = gzip.compress(b"".join(b"line %d\n" % n for n in range(1000)))
FLIPPED = ARCHIVE[:-6] + bytes([ARCHIVE[-6] ^ 0xFF]) + ARCHIVE[-5:]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ARCHIVE[: len(ARCHIVE) // 2], "the file was cut short here"),
        (FLIPPED, "the file is damaged from here on: CRC check failed"),
    ],
)
def test_damaged_archive_ends_with_a_damaged_line(tmp_path, content, reason):
    path = tmp_path / "file"
    path.write_bytes(content)
    *good, last = line_reader.read(path)
    assert len(good) > 10
    assert not any(line.error or line.is_damaged for line in good)
    assert last.is_damaged
    assert str(last.error).startswith(reason)


def test_an_empty_file_has_no_lines(read):
    assert read(b"") == []
