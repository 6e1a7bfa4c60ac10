"""How-tos for developers: followed literally in a copy of the tree, they work."""

import pytest

from tests.docs.following import ROOT, copy_tree, follow


@pytest.mark.slow
@pytest.mark.parametrize("name", ["add-a-read-model", "add-an-event"])
def test_howto_works_when_followed_literally(name, tmp_path):
    copy_tree(tmp_path)
    assert follow(ROOT / "docs/how-to" / f"{name}.md", tmp_path)
