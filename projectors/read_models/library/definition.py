"""Declaration of the library: what each user rated, kept and listed."""

from projectors.read_models.definition import ReadModelDefinition
from projectors.read_models.library.read_model import Library

definition = ReadModelDefinition(model=Library)
