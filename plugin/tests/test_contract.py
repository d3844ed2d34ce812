"""The plugin's side of the contract; test/plugin/contract.test.ts has the command's."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from conftest import CONTRACT, example
from imbue.mngr_fargate.contract import (
    CONTRACT_VERSION,
    CreateProgress,
    ErrorDocument,
    FargateHost,
    HostAddress,
    Problem,
    hosts_in,
)

SCHEMA = json.loads((CONTRACT / f"v{CONTRACT_VERSION}.json").read_text())["$defs"]


def kinds(schema: dict[str, Any]) -> set[str]:
    """The JSON types that a member can have."""
    if "$ref" in schema:
        return {"object"}
    if "anyOf" in schema:
        return set().union(*(kinds(part) for part in schema["anyOf"]))
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return {"string"} if all(isinstance(value, str) for value in values) else {"number"}
    kind = schema["type"]
    return {kind} if isinstance(kind, str) else set(kind)


@pytest.mark.parametrize(
    ("model", "promised"),
    [
        (FargateHost, SCHEMA["host"]),
        (HostAddress, SCHEMA["address"]),
        (CreateProgress, SCHEMA["progress"]),
        (ErrorDocument, SCHEMA["error"]),
        (Problem, SCHEMA["error"]["properties"]["error"]),
    ],
)
def test_reads_only_what_the_contract_promises(model: type[BaseModel], promised: dict[str, Any]) -> None:
    for name, member in model.model_json_schema(by_alias=True)["properties"].items():
        assert name in promised["required"], f"{name} may be missing"
        assert kinds(member) == kinds(promised["properties"][name]), name


def test_reads_the_examples() -> None:
    (ready, pending, foreign), unreadable = hosts_in(json.dumps(example("hosts")))
    assert unreadable == ()
    assert ready.address == HostAddress(host="203.0.113.10", port=22, user="root")
    assert (pending.is_live, pending.ready, pending.address) == (True, False, None)
    assert foreign.identity_file is None
    assert not FargateHost.model_validate(example("host-stopped")).is_live
    assert CreateProgress.model_validate(example("progress")).step == "run-task"
    assert ErrorDocument.model_validate(example("error")).error.code == "already-exists"


@pytest.mark.parametrize(
    "change",
    [
        {"createdAt": "yesterday"},
        {"name": "../../x y"},
        {"name": ""},
        {"hostId": ""},
        {"hostId": "../x"},
        {"cpu": "much"},
    ],
)
def test_an_entry_that_cannot_be_read_costs_that_host_only(change: dict[str, Any]) -> None:
    fine = example("host-ready")
    hosts, unreadable = hosts_in(json.dumps([{**fine, **change}, fine]))
    assert [host.name for host in hosts] == ["fox"]
    assert len(unreadable) == 1


def test_takes_members_that_it_does_not_know() -> None:
    assert FargateHost.model_validate({**example("host-ready"), "colour": "red"}).name == "fox"
