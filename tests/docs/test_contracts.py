"""OpenAPI documents of both APIs: valid and complete."""

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from events.management.commands.reference import DIRECTORY

CONTRACTS: dict[str, dict[str, Any]] = {
    name: json.loads((DIRECTORY / f"{name}.openapi.json").read_text())
    for name in ("command", "query")
}
OPERATIONS = [
    pytest.param(contract, operation, id=operation["operationId"])
    for contract in CONTRACTS.values()
    for methods in contract["paths"].values()
    for operation in methods.values()
]
PROBLEM = "application/problem+json"


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_is_openapi_3_0(contract):
    assert contract["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(contract).iter_errors()) == []


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
def test_every_operation_declares_its_errors(contract, operation):
    problems = {status for status in operation["responses"] if status >= "400"}
    assert {"422", "429", "503"} <= problems
    if operation.get("security"):
        assert operation["security"] == [{"bearer": []}]
        assert "401" in problems
    if "requestBody" in operation:
        assert {"400", "413", "415"} <= problems
    for status in problems:
        assert list(operation["responses"][status]["content"]) == [PROBLEM]
    assert "Retry-After" in operation["responses"]["429"]["headers"]


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
def test_every_answer_may_say_how_often_one_may_ask(contract, operation):
    for response in operation["responses"].values():
        for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"):
            assert response["headers"][name] == {"$ref": f"#/components/headers/{name}"}
            assert contract["components"]["headers"][name]["description"]


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
def test_every_body_and_answer_has_an_example_that_fits(contract, operation):
    contents = list(operation.get("requestBody", {}).get("content", {}).values())
    for response in operation["responses"].values():
        assert response["description"]
        contents += response.get("content", {}).values()
    for content in contents:
        schema = {**contract, **content["schema"]}
        assert list(OAS30Validator(schema).iter_errors(content["example"])) == []


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
def test_bodies_take_no_other_fields(contract, operation):
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"].get("items", content["schema"])
        name = schema["$ref"].rpartition("/")[2]
        assert contract["components"]["schemas"][name]["additionalProperties"] is False
