"""OpenAPI documents of both APIs: valid and complete."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from events.management.commands.reference import DIRECTORY

CONTRACTS: dict[str, dict[str, Any]] = {
    name: json.loads((DIRECTORY / f"{name}.openapi.json").read_text())
    for name in ("command", "query")
}
OPERATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    f"{api}: {method.upper()} {path}": (contract, operation)
    for api, contract in CONTRACTS.items()
    for path, methods in contract["paths"].items()
    for method, operation in methods.items()
}
PROBLEM = "application/problem+json"
RATE_LIMIT_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_document_is_valid_openapi_3_0(contract):
    assert contract["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(contract).iter_errors()) == []


def test_every_operation_declares_its_errors():
    assert_no_faults(undeclared_errors)


def undeclared_errors(_contract: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    problems = {status for status in operation["responses"] if status >= "400"}
    expected = {"422", "429", "503"}
    if operation.get("security"):
        expected |= {"401"}
        if operation["security"] != [{"bearer": []}]:
            yield f"security is {operation['security']}"
    if "requestBody" in operation:
        expected |= {"400", "413", "415"}
    yield from (f"{status} is not declared" for status in sorted(expected - problems))
    for status in sorted(problems):
        if list(operation["responses"][status]["content"]) != [PROBLEM]:
            yield f"{status} is not problem+json"
    if "Retry-After" not in operation["responses"]["429"]["headers"]:
        yield "429 has no Retry-After"


def test_every_response_declares_the_rate_limit_headers():
    assert_no_faults(missing_headers)


def missing_headers(contract: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    for status, response in operation["responses"].items():
        for name in RATE_LIMIT_HEADERS:
            if response["headers"].get(name) != {"$ref": f"#/components/headers/{name}"}:
                yield f"{status} has no {name}"
            if not contract["components"]["headers"][name]["description"]:
                yield f"{name} has no description"


def test_every_body_and_response_has_a_valid_example():
    assert_no_faults(invalid_examples)


def invalid_examples(contract: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    contents = list(operation.get("requestBody", {}).get("content", {}).values())
    for status, response in operation["responses"].items():
        if not response["description"]:
            yield f"{status} has no description"
        contents += response.get("content", {}).values()
    for content in contents:
        validator = OAS30Validator({**contract, **content["schema"]})
        yield from (error.message for error in validator.iter_errors(content["example"]))


def test_request_bodies_allow_no_additional_properties():
    assert_no_faults(open_bodies)


def open_bodies(contract: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"].get("items", content["schema"])
        name = schema["$ref"].rpartition("/")[2]
        if contract["components"]["schemas"][name]["additionalProperties"] is not False:
            yield f"{name} takes other fields"


def assert_no_faults(faults_of: Callable[..., Iterator[str]]) -> None:
    """Apply a check to all operations of both contracts; name those with faults."""
    faults = {name: list(faults_of(*operation)) for name, operation in OPERATIONS.items()}
    assert {name: messages for name, messages in faults.items() if messages} == {}
