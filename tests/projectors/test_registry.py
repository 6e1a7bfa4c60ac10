"""Registry: declarations agree with builders, rebuild groups, processes and packages."""

from pathlib import Path

import pytest
import yaml

from infra.platform import topology
from projectors.rebuild import derive
from projectors.registry import MODELS, WITH_BUILDER, dependents_of, make_builder

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.name)
def test_dependent_models_are_those_whose_builder_reads_the_other(redis, kind):
    read = []

    def find(source):
        read.append(source)
        return source(redis, 1)

    make_builder(kind(redis, 1), find)
    assert [source for source in MODELS if kind in dependents_of(source)] == [
        source for source in MODELS if source in read
    ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_builder_is_named_after_its_model(redis, model):
    builder = make_builder(model(redis, 1), lambda kind: kind(redis, 1))
    assert (builder.name if builder else None) == (model.name if model in WITH_BUILDER else None)


def test_rebuild_derives_each_built_model_once():
    together = [name for names in derive.SIDE_BY_SIDE for name in names]
    assert sorted([*together, *derive.BUILT_LAST]) == sorted(model.name for model in WITH_BUILDER)


def test_rebuild_derives_a_model_after_the_sources_of_its_builder():
    """Within one process they are built in the order of the registry."""
    order = [model.name for model in MODELS]
    for model in MODELS:
        for source in model.sources:
            assert model.name in derive.BUILT_LAST or (
                any({model.name, source} <= names for names in derive.SIDE_BY_SIDE)
                and order.index(source) < order.index(model.name)
            )


def test_heavy_models_have_one_projector_process_of_their_own():
    heavy = sorted(one.name for one in MODELS if one.weight != "light")
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = [service.get("command", []) for service in services.values()]
    shares = [command[3:] for command in commands if command[2:3] == ["project"]]
    assert sorted(topology.HEAVY_MODELS) == heavy
    assert sorted((share[0], sorted(share[1:])) for share in shares) == [
        ("--except", heavy),
        ("--only", heavy),
    ]
