"""The provider instance: mngr's interface on one side, `mngr-fargate` on the other."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from imbue.concurrency_group.concurrency_group import ConcurrencyGroup
from imbue.mngr.errors import (
    HostConnectionError,
    HostCreationError,
    HostNameConflictError,
    HostNotFoundError,
    ProviderError,
    ProviderUnavailableError,
    SnapshotsNotSupportedError,
)
from imbue.mngr.hosts.host import Host
from imbue.mngr.interfaces.data_types import (
    CpuResources,
    HostLifecycleOptions,
    HostResources,
    PyinfraConnector,
    SnapshotInfo,
    VolumeInfo,
)
from imbue.mngr.interfaces.host import HostInterface, OnlineHostInterface
from imbue.mngr.primitives import (
    AgentId,
    DiscoveredHost,
    HostId,
    HostName,
    HostState,
    ImageReference,
    SnapshotId,
    SnapshotName,
    VolumeId,
)
from imbue.mngr.providers.base_provider import BaseProviderInstance
from imbue.mngr.providers.ssh_utils import create_pyinfra_host
from loguru import logger
from pydantic import ConfigDict, Field, PrivateAttr
from pyinfra.api.host import Host as PyinfraHost

from imbue.mngr_fargate.archive import HostArchive
from imbue.mngr_fargate.cleanup import left_behind
from imbue.mngr_fargate.cli import CliError, CliFailure, CliUnusableError, FargateCli
from imbue.mngr_fargate.config import FargateProviderConfig
from imbue.mngr_fargate.contract import FargateHost
from imbue.mngr_fargate.create_request import options_of_create
from imbue.mngr_fargate.fleet import Fleet, state_of, unusable
from imbue.mngr_fargate.host_setup import prepare_host
from imbue.mngr_fargate.offline import FargateOfflineHost
from imbue.mngr_fargate.others_host import OthersHost
from imbue.mngr_fargate.progress import CreateReporter
from imbue.mngr_fargate.ssh_way import ADVICE, be_patient, has_proxy, ssh_address

CPU_UNITS_PER_VCPU: Final = 1024
MIB_PER_GB: Final = 1024


class FargateProvider(BaseProviderInstance):
    """Hosts of one environment. ECS says which there are; no method but those that use a host connects to one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    config: FargateProviderConfig = Field(frozen=True)
    cli: FargateCli = Field(frozen=True)
    fleet: Fleet = Field(frozen=True)
    archive: HostArchive = Field(frozen=True)

    # mngr reads hosts in parallel threads.
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _online: dict[str, tuple[FargateHost, Host]] = PrivateAttr(default_factory=dict)

    # Capabilities

    @property
    def supports_snapshots(self) -> bool:
        return False

    @property
    def supports_shutdown_hosts(self) -> bool:
        """A Fargate task that has stopped is gone, its disk included (docs/decisions/090)."""
        return False

    @property
    def supports_volumes(self) -> bool:
        return False

    @property
    def supports_mutable_tags(self) -> bool:
        return True

    @property
    def is_agent_data_persistence_supported(self) -> bool:
        return True

    def reset_caches(self) -> None:
        self.fleet.forget_all()

    # Lifecycle

    def create_host(
        self,
        name: HostName,
        image: ImageReference | None = None,
        tags: Mapping[str, str] | None = None,
        build_args: Sequence[str] | None = None,
        start_args: Sequence[str] | None = None,
        lifecycle: HostLifecycleOptions | None = None,
        known_hosts: Sequence[str] | None = None,
        authorized_keys: Sequence[str] | None = None,
        snapshot: SnapshotName | None = None,
    ) -> Host:
        """Starts a host and prepares it as mngr asks. Whatever fails, the task is stopped before this raises."""
        if snapshot is not None:
            raise SnapshotsNotSupportedError(self.name)
        lifecycle = lifecycle or HostLifecycleOptions()
        options = options_of_create(
            arguments=[*(build_args or ()), *(start_args or ())],
            image=image or self.config.default_image,
            tags=tags or {},
            authorized_keys=authorized_keys or (),
            lifecycle=lifecycle,
        )
        reporter = CreateReporter(str(name), self.mngr_ctx)
        try:
            created = self.fleet.note(self.cli.create(str(name), options, reporter.update))
        except CliError as error:
            if error.code == "already-exists":
                raise HostNameConflictError(self.name, name) from error
            raise HostCreationError(self.name, f"Cannot create host {name}: {error}") from error
        except CliUnusableError as error:
            raise self.fleet.unavailable(error) from error
        try:
            host = self._online_host(created)
            prepare_host(host, created, self.config, lifecycle, known_hosts or ())
        except HostConnectionError as error:
            self._discard(created)
            if has_proxy(created.host_id):
                raise
            raise HostCreationError(self.name, f"Cannot reach host {name}: {error}. {ADVICE}") from error
        except BaseException:
            self._discard(created)
            raise
        reporter.finish()
        return host

    def stop_host(
        self, host: HostInterface | HostId, create_snapshot: bool = True, timeout_seconds: float = 60.0
    ) -> None:
        """Always refused: what stops is gone, and `mngr destroy` is the word for that."""
        del create_snapshot, timeout_seconds
        raise ProviderError(
            self.name,
            f"Host {_id_of(host)} can't be stopped and started again: a Fargate task loses its disk when it stops. "
            "`mngr stop` without --stop-host stops only the agent; `mngr destroy` ends the host",
        )

    def start_host(self, host: HostInterface | HostId, snapshot_id: SnapshotId | None = None) -> Host:
        """The host, if it runs; one that has ended can't be started again."""
        if snapshot_id is not None:
            raise SnapshotsNotSupportedError(self.name)
        host_id = _id_of(host)
        found = self.fleet.find(host_id)
        if found is not None and found.is_live:
            return self._online_host(found)
        raise ProviderError(
            self.name,
            f"Host {host_id} has ended, and a Fargate task can't be started again: "
            f"create a new host with `mngr create NAME@.{self.name}`",
        )

    def destroy_host(self, host: HostInterface | HostId) -> None:
        """Stops the task, without SSH. A host that is already gone is not an error.

        Refused for a host that mngr didn't make: mngr calls this when its own last agent on a host has gone, and knows
        nothing of what else runs there.
        """
        host_id = _id_of(host)
        try:
            found = self.fleet.find(host_id)
        except ProviderUnavailableError as error:
            raise left_behind(f"Host {host_id} may still run: {error}", host_id) from error
        if found is not None and found.is_live and not found.is_mngrs:
            raise ProviderError(self.name, not_mngrs(found))
        try:
            self.cli.destroy(str(host_id))
        except CliFailure as error:
            raise left_behind(f"Host {host_id} may still run: {error}", host_id) from error
        self.archive.mark_destroyed(host_id)
        self._forget(host_id)

    def delete_host(self, host: HostInterface) -> None:
        """Forgets a host that has ended, and removes the keys of one that ended by itself."""
        try:
            self.cli.destroy(str(host.id))
        except CliFailure as error:
            raise left_behind(f"Cannot delete the keys of host {host.id}: {error}", host.id) from error
        self._forget(host.id)
        self.archive.remove(host.id)

    def on_connection_error(self, host_id: HostId) -> None:
        """Hangs up. What ECS said of the host stays: it is not what failed."""
        self._hang_up(host_id)

    # Discovery

    def discover_hosts(self, cg: ConcurrencyGroup, include_destroyed: bool = False) -> list[DiscoveredHost]:
        """One listing of ECS, and with `include_destroyed` the records of hosts that have ended. No SSH."""
        del cg
        hosts = self.fleet.hosts()
        found = [self._discovered(host.host_id, host.name, state_of(host)) for host in hosts.values()]
        if include_destroyed:
            ended = [HostId(host_id) for host_id in self.archive.host_ids() if host_id not in hosts]
            for host in (self._offline_host(host_id) for host_id in ended):
                if host is not None:
                    found.append(self._discovered(str(host.id), str(host.get_name()), host.get_state()))
        return found

    def get_host(self, host: HostId | HostName) -> HostInterface:
        """The host to work on, or an offline view of one that can't be worked on from here."""
        found = self.fleet.find(host)
        if found is not None and found.is_live and unusable(found) is None:
            return self._online_host(found)
        host_id = self._id_of_reference(host, found)
        offline = None if host_id is None else self._offline_host(host_id)
        if offline is None:
            raise HostNotFoundError(self.name, host)
        return offline

    def to_offline_host(self, host_id: HostId) -> FargateOfflineHost:
        offline = self._offline_host(host_id)
        if offline is not None:
            return offline
        self.fleet.must_find(host_id)
        return self.to_offline_host(host_id)

    def get_connection_error_fallback_state(self, host_id: HostId) -> HostState | None:
        """UNKNOWN while the task runs: mngr would take a host that doesn't answer for a destroyed one."""
        known = self.fleet.known(host_id)
        return HostState.UNKNOWN if known is not None and known.is_live else None

    def get_host_resources(self, host: HostInterface) -> HostResources:
        size = self.fleet.known(host.id) or self.archive.record(host.id) or self.fleet.must_find(host.id)
        return HostResources(
            # mngr counts whole processors; Fargate's smallest task has a quarter of one.
            cpu=CpuResources(count=max(1, size.cpu // CPU_UNITS_PER_VCPU)),
            memory_gb=size.memory / MIB_PER_GB,
            disk_gb=float(size.ephemeral_storage),
        )

    # Snapshots and volumes, which Fargate tasks don't have

    def create_snapshot(self, host: HostInterface | HostId, name: SnapshotName | None = None) -> SnapshotId:
        del host, name
        raise SnapshotsNotSupportedError(self.name)

    def list_snapshots(self, host: HostInterface | HostId) -> list[SnapshotInfo]:
        del host
        return []

    def delete_snapshot(self, host: HostInterface | HostId, snapshot_id: SnapshotId) -> None:
        del host, snapshot_id
        raise SnapshotsNotSupportedError(self.name)

    def list_volumes(self) -> list[VolumeInfo]:
        return []

    def delete_volume(self, volume_id: VolumeId) -> None:
        raise ProviderError(self.name, f"Volume {volume_id} can't be deleted: hosts on Fargate have no volumes")

    # Tags and names

    def get_host_tags(self, host: HostInterface | HostId) -> dict[str, str]:
        return dict(self.fleet.must_find(_id_of(host)).tags)

    def set_host_tags(self, host: HostInterface | HostId, tags: Mapping[str, str]) -> None:
        present = self.get_host_tags(host)
        self._tag(host, tags, [key for key in present if key not in tags])

    def add_tags_to_host(self, host: HostInterface | HostId, tags: Mapping[str, str]) -> None:
        self._tag(host, tags, ())

    def remove_tags_from_host(self, host: HostInterface | HostId, keys: Sequence[str]) -> None:
        self._tag(host, {}, keys)

    def rename_host(self, host: HostInterface | HostId, name: HostName) -> HostInterface:
        """Renames the host in ECS and, where it can be reached, in its data.json."""
        host_id = _id_of(host)
        self.fleet.change(lambda cli: cli.rename(str(host_id), str(name)))
        renamed = self.get_host(host_id)
        if isinstance(renamed, OnlineHostInterface):
            data = renamed.get_certified_data()
            renamed.set_certified_data(data.model_copy(update={"host_name": str(name)}))
        return renamed

    def get_connector(self, host: HostInterface | HostId) -> PyinfraHost:
        return self.start_host(host).connector.host

    # Agents, kept for the time after their host

    def persist_agent_data(self, host_id: HostId, agent_data: Mapping[str, object]) -> None:
        self.archive.save_agent(host_id, agent_data)

    def remove_persisted_agent_data(self, host_id: HostId, agent_id: AgentId) -> None:
        self.archive.remove_agent(host_id, agent_id)

    def list_persisted_agent_data_for_host(self, host_id: HostId) -> list[dict[str, Any]]:
        return self.archive.agents(host_id)

    # What the methods above are made of

    def _online_host(self, host: FargateHost) -> Host:
        """mngr's object for a live host, the same as before while its address and name are. Connects to nothing."""
        problem = unusable(host)
        address = ssh_address(host)
        if address is None or host.identity_file is None or host.known_hosts_file is None or problem is not None:
            raise ProviderError(self.name, f"Host {host.name} can't be used from here: {problem}")
        with self._lock:
            present, online = self._online.get(host.host_id, (None, None))
            if online is not None and present is not None:
                if (present.address, present.name) == (host.address, host.name):
                    return online
                online.disconnect()
            connection = create_pyinfra_host(
                hostname=address.host,
                port=address.port,
                private_key_path=Path(host.identity_file),
                known_hosts_path=Path(host.known_hosts_file),
                ssh_user=address.user,
            )
            if address != host.address:
                be_patient(connection)
            online = (Host if host.is_mngrs else OthersHost)(
                id=HostId(host.host_id),
                host_name=HostName(host.name),
                connector=PyinfraConnector(connection),
                provider_instance=self,
                mngr_ctx=self.mngr_ctx,
                on_updated_host_data=self.archive.save_host,
            )
            self._online[host.host_id] = (host, online)
            return online

    def _offline_host(self, host_id: HostId) -> FargateOfflineHost | None:
        """A host as last seen; None of one that neither ECS nor this machine knows. Makes no call."""
        data = self.archive.data_of(host_id)
        if data is None:
            return None
        known = self.fleet.known(host_id)
        return FargateOfflineHost(
            id=host_id,
            certified_host_data=data,
            provider_instance=self,
            mngr_ctx=self.mngr_ctx,
            on_updated_host_data=self.archive.save_host,
            known_state=HostState.DESTROYED if known is None else state_of(known),
        )

    def _id_of_reference(self, reference: HostId | HostName, found: FargateHost | None) -> HostId | None:
        if found is not None:
            return HostId(found.host_id)
        return reference if isinstance(reference, HostId) else self.archive.host_id_of(reference)

    def _discovered(self, host_id: str, name: str, state: HostState) -> DiscoveredHost:
        return DiscoveredHost(
            host_id=HostId(host_id), host_name=HostName(name), provider_name=self.name, host_state=state
        )

    def _tag(self, host: HostInterface | HostId, to_set: Mapping[str, str], to_remove: Sequence[str]) -> None:
        if to_set or to_remove:
            self.fleet.change(lambda cli: cli.tag(str(_id_of(host)), to_set, to_remove))

    def _hang_up(self, host_id: HostId) -> None:
        with self._lock:
            _, online = self._online.pop(str(host_id), (None, None))
        if online is not None:
            online.disconnect()

    def _forget(self, host_id: HostId) -> None:
        self._hang_up(host_id)
        self.fleet.forget(host_id)

    def _discard(self, host: FargateHost) -> None:
        """Ends a host that nobody will use. The error on its way is the one to show; another is only logged."""
        host_id = HostId(host.host_id)
        logger.warning("Destroying host {}, which could not be prepared", host.name)
        try:
            self.destroy_host(host_id)
        except Exception as error:  # noqa: BLE001 - see above
            logger.error("Host {} may still run: {}", host.name, error)
        else:
            self.archive.remove(host_id)


def not_mngrs(host: FargateHost) -> str:
    """Why mngr doesn't end a host."""
    if host.owner == "stack":
        return f"Host {host.name} belongs to a CloudFormation stack: remove its AgentTask from the stack to end it"
    return f"Host {host.name} was not created by mngr: `mngr-fargate destroy {host.name}` ends it"


def _id_of(host: HostInterface | HostId) -> HostId:
    return host.id if isinstance(host, HostInterface) else host
