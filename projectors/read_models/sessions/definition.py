"""Declaration of the revoked sessions."""

from projectors.read_models.definition import ReadModelDefinition
from projectors.read_models.sessions.read_model import SessionRevocations

definition = ReadModelDefinition(model=SessionRevocations)
