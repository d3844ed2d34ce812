"""What mngr asks of a new host beyond what `mngr-fargate create` does."""

from collections.abc import Sequence

from imbue.mngr.errors import HostCreationError
from imbue.mngr.hosts.host import Host
from imbue.mngr.interfaces.data_types import CertifiedHostData, HostLifecycleOptions
from imbue.mngr.primitives import ActivitySource
from imbue.mngr.providers.ssh_host_setup import build_add_known_hosts_command

from imbue.mngr_fargate.config import FargateProviderConfig
from imbue.mngr_fargate.contract import FargateHost


def prepare_host(
    host: Host,
    fargate_host: FargateHost,
    config: FargateProviderConfig,
    lifecycle: HostLifecycleOptions,
    known_hosts: Sequence[str],
) -> None:
    """Writes the activity sources into the host's data.json, and the entries into its known_hosts."""
    booted = host.get_certified_data()
    wanted = {
        "activity_sources": _activity_sources(config, lifecycle),
        # Without a prefix the watchdog leaves a host whose agents are stopped to its idle timeout: on Fargate its end
        # would be that of the agents' work (docs/decisions/090).
        "tmux_session_prefix": None,
        "image": fargate_host.image,
    }
    host.set_certified_data(CertifiedHostData.model_validate({**booted.model_dump(), **wanted}))
    command = build_add_known_hosts_command(str(host.connector.host.data.get("ssh_user")), tuple(known_hosts))
    if command is not None:
        result = host.execute_idempotent_command(command)
        if not result.success:
            raise HostCreationError(
                host.provider_instance.name, f"Cannot write known_hosts on host {fargate_host.name}: {result.stderr}"
            )


def _activity_sources(config: FargateProviderConfig, lifecycle: HostLifecycleOptions) -> tuple[ActivitySource, ...]:
    """As asked for, else the block's sources, else those of the idle mode."""
    if (
        lifecycle.idle_mode is None
        and lifecycle.activity_sources is None
        and config.default_activity_sources is not None
    ):
        return config.default_activity_sources
    activity = lifecycle.to_activity_config(
        default_idle_timeout_seconds=config.default_idle_timeout,
        default_idle_mode=config.default_idle_mode,
        default_activity_sources=config.default_activity_sources or (),
    )
    return activity.activity_sources
