"""Hypothesis profiles and fixtures of all tests."""

from hypothesis import Phase, settings

# One slow example among thousands, caused by a busy machine, is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
settings.register_profile(
    # Profile that only detects failures: it does not search for a smaller example.
    "at-once",
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)

pytest_plugins = (
    "pytester",
    "tests.fixtures.servers",
    "tests.fixtures.isolation",
    "tests.fixtures.hash_slots",
    "tests.fixtures.keys",
    "tests.fixtures.limits",
    "tests.fixtures.platform",
    "tests.fixtures.statements",
    "tests.fixtures.refusing_redis",
    "tests.fixtures.browser",
    "tests.fixtures.tmdb",
)
