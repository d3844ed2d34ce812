"""Build and start arguments of `mngr create`."""

import pytest
from imbue.mngr.errors import UserInputError

from imbue.mngr_fargate.build_args import ARGUMENTS, ARGUMENTS_HELP, create_options


@pytest.mark.parametrize("arguments", [["--cpu", "4"], ["cpu=4"], ["--cpu=4"], ["cpu", "4"]], ids=" ".join)
def test_every_spelling_of_a_value(arguments: list[str]) -> None:
    assert create_options(arguments) == ["--cpu=4"]


def test_switches_and_repeated_arguments() -> None:
    assert create_options(["spot", "--subnet=a", "--subnet", "b", "ephemeral_storage=40"]) == [
        "--spot",
        "--subnet=a",
        "--subnet=b",
        "--ephemeral-storage=40",
    ]
    assert create_options(["spot=true"]) == ["--spot"]
    assert create_options(["--spot=false"]) == []


def test_a_value_may_have_an_equals_sign() -> None:
    assert create_options(["tag=team=core"]) == ["--tag=team=core"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cpus", "4"], "unknown build argument '--cpus': did you mean cpu?"),
        (["--gpu=1"], "did you mean cpu?"),
        (["dockerfile=x"], f"there are {', '.join(ARGUMENTS)}"),
        (["--cluster", "prod"], "set ecs_cluster in the provider block"),
        (["task-definition=x"], "set task_definition in the provider block"),
        (["memory"], "memory needs a value: memory=SIZE"),
        (["cpu=1", "--cpu", "2"], "cpu was given more than once"),
        (["spot=yes"], "true or false, not 'yes'"),
    ],
)
def test_refuses_with_what_is_allowed(arguments: list[str], message: str) -> None:
    with pytest.raises(UserInputError) as caught:
        create_options(arguments)
    assert message in str(caught.value)


def test_the_help_names_every_argument() -> None:
    assert all(f"--{name}" in ARGUMENTS_HELP for name in ARGUMENTS)
