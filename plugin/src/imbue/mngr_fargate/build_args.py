"""`-b` and `-s` arguments of `mngr create`, as options of `mngr-fargate create`."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from imbue.mngr.errors import UserInputError


@dataclass(frozen=True)
class Argument:
    """One argument: what its value is (None for a switch), what it does, and whether it can be given repeatedly."""

    value: str | None
    meaning: str
    is_repeatable: bool = False


# `mngr-fargate create` has an option of each name and checks the values.
ARGUMENTS: Final[dict[str, Argument]] = {
    "cpu": Argument("SIZE", "CPU units (1024) or vCPU (4)"),
    "memory": Argument("SIZE", "MiB (4096) or GB (16)"),
    "image": Argument("URI", "image to use instead of the task definition's"),
    "spot": Argument(None, "run on Fargate Spot"),
    "ephemeral-storage": Argument("GIB", "disk in GiB, 21 to 200"),
    "subnet": Argument("ID", "subnet to use instead of the provider's", is_repeatable=True),
    "tag": Argument("KEY=VALUE", "tag of the task", is_repeatable=True),
    "env": Argument("KEY=VALUE", "variable of the host, sent over SSH", is_repeatable=True),
    "max-age": Argument("DURATION", "stop at this age, even while it is busy (8h, 2d)"),
    "timeout": Argument("DURATION", "give up on a host that isn't ready after this long; default 10m"),
}

# Advertised by mngr's first Fargate plugin, which ignored them.
_BELONG_IN_THE_BLOCK: Final = {"cluster": "ecs_cluster", "task-definition": "task_definition"}


def _help_lines() -> list[str]:
    rows = []
    for name, argument in ARGUMENTS.items():
        usage = f"--{name}" + ("" if argument.value is None else f" {argument.value}")
        rows.append((usage, argument.meaning + ("; repeatable" if argument.is_repeatable else "")))
    width = max(len(usage) for usage, _ in rows)
    return [f"  {usage.ljust(width)}  {meaning}" for usage, meaning in rows]


ARGUMENTS_HELP: Final = "\n".join(
    ["Build (-b) and start (-s) arguments alike, as `-b cpu=4`, `-b --cpu=4` or `-b '--cpu 4'`:", *_help_lines()]
)


def create_options(arguments: Sequence[str]) -> list[str]:
    """The options of `mngr-fargate create` for mngr's arguments. Raises UserInputError for one that isn't known."""
    options: list[str] = []
    given: set[str] = set()
    words = list(arguments)
    while words:
        word = words.pop(0)
        key, equals, value = word.partition("=")
        name = key.removeprefix("--").replace("_", "-")
        argument = ARGUMENTS.get(name)
        if argument is None:
            raise UserInputError(_unknown(word, name))
        if name in given and not argument.is_repeatable:
            raise UserInputError(f"build argument {name} was given more than once")
        given.add(name)
        if argument.value is None:
            options += _switch(name, value if equals else "true")
            continue
        if not equals:
            if not words:
                raise UserInputError(f"build argument {name} needs a value: {name}={argument.value}")
            value = words.pop(0)
        options.append(f"--{name}={value}")
    return options


def _switch(name: str, value: str) -> list[str]:
    if value == "true":
        return [f"--{name}"]
    if value == "false":
        return []
    raise UserInputError(f"build argument {name} is true or false, not {value!r}")


def _unknown(word: str, name: str) -> str:
    key = _BELONG_IN_THE_BLOCK.get(name)
    if key is not None:
        return (
            f"{name} is not a build argument: set {key} in the provider block, "
            "since a host elsewhere could not be found again"
        )
    near = difflib.get_close_matches(name, ARGUMENTS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ARGUMENTS)}"
    return f"unknown build argument {word!r}: {hint}"
