"""Demo catalogue: the commands that import it and bring an imported one up to date."""

from hashlib import sha256

from infra.platform.processes import HOME

IMPORT = ("import_catalogue", "demo")
CORRECT = ("correct_catalogue",)
_FILE = HOME / "command_api" / "catalogue" / "demo" / "catalogue.jsonl.gz"


def catalogue_version() -> str:
    """A digest of the file that comes with this version of the platform."""
    return sha256(_FILE.read_bytes()).hexdigest()
