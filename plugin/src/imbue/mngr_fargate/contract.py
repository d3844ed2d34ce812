"""What the plugin reads of the JSON that `mngr-fargate` prints: version 1 of the contract.

`plugin/contract/v1.json` is the whole contract as a JSON Schema. A test holds these models to it, and another the
command's real output. Members that aren't read here are ignored, so the command may add some.
"""

import re
from datetime import datetime
from typing import Any, Final, Literal

from imbue.mngr.primitives import HostName
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

CONTRACT_VERSION: Final = 1


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True)


class HostAddress(_Document):
    """Where sshd of a host answers."""

    host: str
    port: int
    user: str


class FargateHost(_Document):
    """One host as ECS shows it, and what this machine knows of its keys."""

    host_id: str
    name: str
    state: str = Field(description="ECS's lastStatus of the task")
    ready: bool = Field(description="the host key is verified and the host set up")
    task_arn: str
    address: HostAddress | None
    created_at: datetime
    cpu: int = Field(description="CPU units")
    memory: int = Field(description="MiB")
    ephemeral_storage: int = Field(description="GiB")
    image: str | None
    tags: dict[str, str]
    owner: str | None = Field(description="who made it: launcher, mngr, stack or sandbox")
    identity_file: str | None
    known_hosts_file: str | None

    @property
    def is_mngrs(self) -> bool:
        """True of a host that mngr made, and so may end when nothing runs on it any more."""
        return self.owner == "mngr"

    @property
    def is_live(self) -> bool:
        """False once the task has stopped."""
        return self.state != "STOPPED"


class CreateProgress(_Document):
    """One line of `create --progress json`."""

    event: Literal["progress"]
    step: str
    text: str = Field(description="the step for a person")


class Problem(_Document):
    """Why a command failed."""

    code: str
    message: str
    hint: str | None


class ErrorDocument(_Document):
    error: Problem


_ENTRIES: Final = TypeAdapter(list[dict[str, Any]])
_HOST_ID: Final = re.compile(r"host-[0-9a-f]{32}")


def hosts_in(answer: str) -> tuple[tuple[FargateHost, ...], tuple[str, ...]]:
    """The hosts of a list, and what is wrong with the entries that aren't among them.

    Anybody who may tag a task can make an entry unreadable: it costs mngr that host and no other. Raises
    ValidationError for what is not a list of hosts: no tag takes a member away.
    """
    hosts: list[FargateHost] = []
    problems: list[str] = []
    for entry in _ENTRIES.validate_json(answer):
        try:
            host = FargateHost.model_validate(entry)
            HostName(host.name)
        except ValueError as error:
            if isinstance(error, ValidationError) and any(part["type"] == "missing" for part in error.errors()):
                raise
            problems.append(f"{entry.get('taskArn')}: {str(error).splitlines()[0]}")
            continue
        if _HOST_ID.fullmatch(host.host_id):
            hosts.append(host)
        else:
            problems.append(f"{host.task_arn}: {host.host_id!r} is not a host id")
    return tuple(hosts), tuple(problems)
