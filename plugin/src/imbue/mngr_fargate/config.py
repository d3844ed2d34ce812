"""The `[providers.NAME]` block of mngr's settings, as far as it is the plugin's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from imbue.mngr.config.data_types import ProviderInstanceConfig
from imbue.mngr.primitives import ActivitySource, IdleMode, ProviderBackendName
from pydantic import Field

# Keys that mngr-fargate itself knows. Each is passed on as `--set KEY=VALUE` when the block sets it.
CLI_KEYS: Final = (
    "aws_region",
    "ecs_cluster",
    "task_definition",
    "subnets",
    "security_groups",
    "assign_public_ip",
    "container_name",
    "cpu",
    "memory",
    "aws_profile",
    "aws_role_arn",
    "default_idle_timeout",
    "default_max_age",
    "architecture",
    "log_group",
    "transport",
    "proxy_jump",
)


class FargateProviderConfig(ProviderInstanceConfig):
    """Keys of mngr's first Fargate plugin, and ours.

    What a block leaves out comes from where `mngr-fargate` finds it: its environment variables, its own block in
    `~/.mngr/config.toml`, or the outputs of the deployed stack. The defaults below apply if neither is there.
    """

    backend: ProviderBackendName = Field(default=ProviderBackendName("fargate"), description="always fargate")
    aws_region: str = Field(default="us-east-1", description="AWS region")
    ecs_cluster: str = Field(default="mngr", description="ECS cluster")
    task_definition: str = Field(default="mngr-task", description="task definition: family, family:revision or ARN")
    subnets: tuple[str, ...] = Field(default=(), description="subnets of the tasks")
    security_groups: tuple[str, ...] = Field(default=(), description="security groups of the tasks")
    assign_public_ip: bool = Field(default=True, description="give tasks a public address")
    container_name: str = Field(default="agent", description="container within the task definition")
    cpu: int = Field(default=1024, description="CPU units")
    memory: int = Field(default=4096, description="memory in MiB")
    aws_profile: str | None = Field(default=None, description="profile of the AWS configuration")
    aws_role_arn: str | None = Field(default=None, description="IAM role to assume")
    default_idle_timeout: int = Field(default=3600, ge=0, description="seconds until an idle host stops; 0: never")
    default_max_age: int | None = Field(default=None, ge=60, description="seconds until any host stops")
    architecture: Literal["X86_64", "ARM64"] | None = Field(default=None, description="architecture of the image")
    log_group: str | None = Field(default=None, description="CloudWatch log group of the tasks")
    transport: Literal["auto", "direct", "ssm"] | None = Field(
        default=None, description="how SSH reaches a host: its address, Session Manager, or whichever works"
    )
    proxy_jump: str | None = Field(
        default=None, min_length=1, description="bastions on the way to the hosts: [user@]host[:port], or several"
    )

    host_dir: Path = Field(default=Path("/mngr"), description="mngr's directory on a host; the image's is /mngr")
    default_image: str | None = Field(default=None, description="image to use instead of the task definition's")
    default_idle_mode: IdleMode = Field(default=IdleMode.IO, description="idle mode of hosts that don't set one")
    default_activity_sources: tuple[ActivitySource, ...] | None = Field(
        default=None, description="activity sources of hosts that don't set any; default: those of the idle mode"
    )
    cli_path: Path | None = Field(
        default=None, description="the mngr-fargate program; default: $MNGR_FARGATE_CLI_PATH, then PATH"
    )

    def cli_settings(self) -> Iterator[str]:
        """`KEY=VALUE` for each key that the block sets. Empty lists are none, as in mngr's first Fargate plugin."""
        for key in CLI_KEYS:
            value = getattr(self, key)
            if key not in self.model_fields_set or value is None or value == ():
                continue
            yield f"{key}={_text(value)}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return str(value)
