"""Debian root: what its commands get of this machine, and which Pythons have one."""

import pytest

from infra.tools.lock_files import PYTHONS
from tests.pythons.__main__ import copy_checkout, main
from tests.pythons.debian_root import RELEASES, environment


def test_command_in_a_root_gets_the_package_index_and_nothing_else_of_this_machine():
    ours = {
        "PIP_INDEX_URL": "https://packages.example/simple",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
        "HOME": "/srv/ann",
        "MARQUEE_DATABASE_URL": "postgresql://elsewhere.example/movies",
        "PYTHONPATH": "/srv/ann/lib",
        "VIRTUAL_ENV": "/srv/ann/.venv",
    }
    shared = {"PIP_INDEX_URL", "HTTPS_PROXY", "SSL_CERT_FILE"}
    given = environment(ours)
    assert given == {name: ours[name] for name in shared} | {
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }


def test_roots_are_of_supported_pythons():
    assert RELEASES.keys() <= set(PYTHONS)


def test_python_that_is_not_there_is_told_in_one_line():
    with pytest.raises(SystemExit, match=r"^No python3\.99 on this machine.*3\.11 to 3\.14\.$"):
        main("3.99")


def test_copy_of_the_checkout_has_what_git_knows(tmp_path):
    copy_checkout(tmp_path)
    assert (tmp_path / "Makefile").exists()
    assert (tmp_path / "infra/redis/start").stat().st_mode & 0o100
    assert not (tmp_path / ".venv").exists()
    assert not list(tmp_path.rglob("__pycache__"))
