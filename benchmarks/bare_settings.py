"""What is left of Django when there is nothing of ours in it? The server of the calibrations."""

from infra.settings import *  # noqa: F403 - the same settings, other URLs

ROOT_URLCONF = "benchmarks.bare_urls"
