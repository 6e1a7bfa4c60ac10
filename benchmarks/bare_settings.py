"""Django settings of the calibration server: the platform's, with other URLs."""

from infra.settings import *  # noqa: F403 - the same settings, other URLs

ROOT_URLCONF = "benchmarks.bare_urls"
