"""Hypothesis profiles and fixtures of all tests."""

from hypothesis import Phase, settings

# One stall of the machine in thousands of examples says nothing about any of them.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
settings.register_profile(
    # For those who want to know whether, not how: no smaller case is looked for.
    "at-once",
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)

pytest_plugins = (
    "pytester",
    "tests.fixtures.servers",
    "tests.fixtures.isolation",
    "tests.fixtures.keys",
    "tests.fixtures.limits",
    "tests.fixtures.platform",
    "tests.fixtures.browser",
    "tests.fixtures.tmdb",
)
