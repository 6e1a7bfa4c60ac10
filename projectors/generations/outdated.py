"""Outdated generations: live ones that another version of the code made.

They answer until their successor, which the workers of this version build, is level. No worker
applies events to them.
"""

from events.store.generations import version_of
from projectors.storage.read_model import ReadModel


def is_outdated(model: ReadModel) -> bool:
    """Whether another version of the code made this generation; False if it is unknown."""
    return version_of(model.name, model.generation) not in {None, model.version}
