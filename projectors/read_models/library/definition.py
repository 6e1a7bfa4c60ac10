"""Declaration of the library: ratings, favourites, hidden movies and playlists."""

from projectors.read_models.definition import ReadModelDefinition
from projectors.read_models.library.read_model import Library

definition = ReadModelDefinition(model=Library)
