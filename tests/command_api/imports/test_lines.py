"""Which lines does a file have, whatever is in it?"""

import gzip

import pytest

from command_api.imports import lines


@pytest.fixture
def read(tmp_path):
    def _read(content):
        path = tmp_path / "file"
        path.write_bytes(content)
        return [(line.number, line.content, line.broken) for line in lines.read(path)]

    return _read


def test_ends_of_lines_and_the_mark_before_the_first_do_not_count(read):
    assert read(b"\xef\xbb\xbfone\r\ntwo\nthree") == [
        (1, b"one", None),
        (2, b"two", None),
        (3, b"three", None),
    ]


def test_an_archive_is_read_like_a_plain_file(read):
    assert read(gzip.compress(b"one\ntwo\n")) == read(b"one\ntwo\n")


def test_a_line_that_is_too_long_is_broken_and_the_next_is_whole(read):
    [long, after] = read(b"x" * 2_500_000 + b"\nafter\n")
    assert long == (1, b"", "longer than 1000000 bytes")
    assert after == (2, b"after", None)


def test_a_damaged_archive_ends_with_a_broken_line(read):
    whole = gzip.compress(b"".join(b"line %d\n" % n for n in range(1000)))
    *good, last = read(whole[: len(whole) // 2])
    assert len(good) > 10
    assert all(broken is None for _, _, broken in good)
    assert last[2].startswith("the file is damaged from here on")


def test_an_empty_file_has_no_lines(read):
    assert read(b"") == []
