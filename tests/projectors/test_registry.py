"""Does the registry know what each builder reads?"""

import pytest

from projectors.registry import MODELS, built_of, make_builder


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.name)
def test_who_is_told_of_a_change_is_who_reads_it(redis, kind):
    read = []

    def find(source):
        read.append(source)
        return source(redis, 1)

    make_builder(kind(redis, 1), find, 4)
    assert [source for source in MODELS if kind in built_of(source)] == [
        source for source in MODELS if source in read
    ]
