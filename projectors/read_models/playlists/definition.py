"""Declaration of the public playlists."""

from projectors.read_models.definition import ReadModelDefinition
from projectors.read_models.playlists.read_model import Playlists

definition = ReadModelDefinition(model=Playlists)
