"""Which fixtures does every test have?"""

pytest_plugins = (
    "pytester",
    "tests.fixtures.servers",
    "tests.fixtures.isolation",
    "tests.fixtures.keys",
    "tests.fixtures.platform",
)
