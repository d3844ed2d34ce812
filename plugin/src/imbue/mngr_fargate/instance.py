"""The provider instance: mngr's interface on one side, `mngr-fargate` on the other."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from imbue.concurrency_group.concurrency_group import ConcurrencyGroup
from imbue.mngr.errors import (
    HostCreationError,
    HostNameConflictError,
    HostNotFoundError,
    MngrError,
    ProviderError,
    ProviderUnavailableError,
    SnapshotsNotSupportedError,
)
from imbue.mngr.hosts.host import Host
from imbue.mngr.interfaces.data_types import (
    CertifiedHostData,
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
from pyinfra.api import Host as PyinfraHost

from imbue.mngr_fargate.build_args import create_options
from imbue.mngr_fargate.cleanup import left_behind
from imbue.mngr_fargate.cli import CliError, CliUnusableError, FargateCli
from imbue.mngr_fargate.config import FargateProviderConfig
from imbue.mngr_fargate.contract import FargateHost
from imbue.mngr_fargate.host_setup import lifecycle_options, prepare_host
from imbue.mngr_fargate.offline import FargateOfflineHost, certified_data_of
from imbue.mngr_fargate.progress import CreateReporter
from imbue.mngr_fargate.records import HostRecord, HostRecords, HostSize

CPU_UNITS_PER_VCPU: Final = 1024
MIB_PER_GB: Final = 1024


class FargateProvider(BaseProviderInstance):
    """Hosts of one environment. ECS says which there are; no method but those that use a host connects to one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    config: FargateProviderConfig = Field(frozen=True)
    cli: FargateCli = Field(frozen=True)
    records: HostRecords = Field(frozen=True)

    # mngr reads hosts in parallel threads.
    _lock: threading.RLock = PrivateAttr(default_factory=threading.RLock)
    _listed: dict[str, FargateHost] = PrivateAttr(default_factory=dict)
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
        with self._lock:
            self._listed.clear()

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
        options = create_options([*(build_args or ()), *(start_args or ())])
        chosen_image = image or self.config.default_image
        if chosen_image is not None and not any(option.startswith("--image=") for option in options):
            options.append(f"--image={chosen_image}")
        options += [f"--tag={key}={value}" for key, value in (tags or {}).items()]
        options += [f"--authorized-key={key}" for key in authorized_keys or ()]
        options += lifecycle_options(lifecycle)

        reporter = CreateReporter(str(name), self.mngr_ctx)
        try:
            fargate_host = self.cli.create(str(name), options, reporter.update)
        except CliError as error:
            if error.code == "already-exists":
                raise HostNameConflictError(self.name, name) from error
            raise HostCreationError(self.name, f"Cannot create host {name}: {error}") from error
        except CliUnusableError as error:
            raise self._unavailable(error) from error
        try:
            host = self._online_host(fargate_host)
            prepare_host(host, fargate_host, self.config, lifecycle, known_hosts or ())
            self._remember(fargate_host)
            reporter.finish()
        except BaseException:
            logger.warning("Destroying host {}, which could not be prepared", name)
            self._discard(fargate_host.host_id)
            raise
        return host

    def stop_host(
        self, host: HostInterface | HostId, create_snapshot: bool = True, timeout_seconds: float = 60.0
    ) -> None:
        """Always refused: what stops is gone, and `mngr destroy` is the word for that."""
        del create_snapshot, timeout_seconds
        raise ProviderError(
            self.name,
            f"Host {_id_of(host)} can't be stopped and started again: a Fargate task loses its disk when it stops. "
            "`mngr stop` without --stop-host stops the agent alone; `mngr destroy` ends the host",
        )

    def start_host(self, host: HostInterface | HostId, snapshot_id: SnapshotId | None = None) -> Host:
        """The host, if it runs; one that has stopped can't be started again."""
        if snapshot_id is not None:
            raise SnapshotsNotSupportedError(self.name)
        host_id = _id_of(host)
        fargate_host = self._find(host_id)
        if fargate_host is None or not fargate_host.is_live:
            raise ProviderError(
                self.name,
                f"Host {host_id} has ended, and a Fargate task can't be started again: "
                f"create a new host with `mngr create NAME@.{self.name}`",
            )
        if (problem := _unusable(fargate_host)) is not None:
            raise ProviderError(self.name, f"Host {fargate_host.name} can't be used from here: {problem}")
        return self._online_host(fargate_host)

    def destroy_host(self, host: HostInterface | HostId) -> None:
        """Stops the task, without SSH. A host that is gone is no error."""
        host_id = _id_of(host)
        try:
            self.cli.destroy(str(host_id))
        except (CliError, CliUnusableError) as error:
            raise left_behind(f"Host {host_id} may still run: {error}", host_id) from error
        self._forget(host_id)
        self.records.update(str(host_id), _ended)

    def delete_host(self, host: HostInterface) -> None:
        """Forgets a host that has ended, the keys of one that ended by itself included."""
        try:
            self.cli.destroy(str(host.id))
        except (CliError, CliUnusableError) as error:
            raise left_behind(f"Cannot delete the keys of host {host.id}: {error}", host.id) from error
        self._forget(host.id)
        self.records.remove(str(host.id))

    def on_connection_error(self, host_id: HostId) -> None:
        self._forget(host_id)

    # Discovery

    def discover_hosts(self, cg: ConcurrencyGroup, include_destroyed: bool = False) -> list[DiscoveredHost]:
        """One listing of ECS, and with `include_destroyed` the records of hosts that have ended. No SSH."""
        del cg
        listed = self._list()
        found = [self._discovered(host.host_id, host.name, _state_of(host)) for host in listed.values()]
        if include_destroyed:
            for host_id in self.records.host_ids():
                record = None if host_id in listed else self.records.read(host_id)
                if record is not None:
                    offline = self._offline_from_record(HostId(host_id), record)
                    found.append(self._discovered(host_id, str(offline.get_name()), offline.get_state()))
        return found

    def get_host(self, host: HostId | HostName) -> HostInterface:
        """The host to work on, or an offline view of one that can't be reached from here."""
        fargate_host = self._find(host)
        if fargate_host is None or not fargate_host.is_live:
            return self._ended_host(host, fargate_host)
        if _unusable(fargate_host) is not None:
            return self._offline_view(fargate_host)
        return self._online_host(fargate_host)

    def to_offline_host(self, host_id: HostId) -> FargateOfflineHost:
        record = self.records.read(str(host_id))
        if record is not None:
            return self._offline_from_record(host_id, record)
        fargate_host = self._find(host_id)
        if fargate_host is None:
            raise HostNotFoundError(self.name, host_id)
        return self._offline_view(fargate_host)

    def get_connection_error_fallback_state(self, host_id: HostId) -> HostState | None:
        """UNKNOWN while the task runs: mngr would take a host that doesn't answer for a destroyed one."""
        with self._lock:
            listed = self._listed.get(str(host_id))
        return HostState.UNKNOWN if listed is not None and listed.is_live else None

    def get_host_resources(self, host: HostInterface) -> HostResources:
        with self._lock:
            listed = self._listed.get(str(host.id))
        size = _size_of(listed) if listed is not None else None
        if size is None:
            record = self.records.read(str(host.id))
            size = record.size if record is not None else None
        if size is None:
            raise HostNotFoundError(self.name, host.id)
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
        return dict(self._must_find(host).tags)

    def set_host_tags(self, host: HostInterface | HostId, tags: Mapping[str, str]) -> None:
        present = self._must_find(host).tags
        self._tag(host, tags, [key for key in present if key not in tags])

    def add_tags_to_host(self, host: HostInterface | HostId, tags: Mapping[str, str]) -> None:
        self._tag(host, tags, [])

    def remove_tags_from_host(self, host: HostInterface | HostId, keys: Sequence[str]) -> None:
        self._tag(host, {}, keys)

    def rename_host(self, host: HostInterface | HostId, name: HostName) -> HostInterface:
        """Renames the host in ECS and, where it can be reached, in its data.json."""
        host_id = _id_of(host)
        self._update(lambda: self.cli.rename(str(host_id), str(name)))
        self._evict(host_id)
        renamed = self.get_host(host_id)
        if isinstance(renamed, OnlineHostInterface):
            data = renamed.get_certified_data()
            renamed.set_certified_data(data.model_copy(update={"host_name": str(name)}))
        return renamed

    def get_connector(self, host: HostInterface | HostId) -> PyinfraHost:
        online = self.start_host(host)
        return online.connector.host

    # Agents, kept for the time after the host

    def persist_agent_data(self, host_id: HostId, agent_data: Mapping[str, object]) -> None:
        agent_id = str(agent_data["id"])
        self._change_record(
            host_id, lambda record: _with_agents(record, {**record.agents, agent_id: dict(agent_data)})
        )

    def remove_persisted_agent_data(self, host_id: HostId, agent_id: AgentId) -> None:
        def without(record: HostRecord) -> HostRecord:
            return _with_agents(record, {key: data for key, data in record.agents.items() if key != str(agent_id)})

        self._change_record(host_id, without)

    def list_persisted_agent_data_for_host(self, host_id: HostId) -> list[dict[str, Any]]:
        record = self.records.read(str(host_id))
        return [] if record is None else list(record.agents.values())

    # What the methods above are made of

    def _list(self) -> dict[str, FargateHost]:
        try:
            hosts = self.cli.list_hosts()
        except (CliError, CliUnusableError) as error:
            raise self._unavailable(error) from error
        listed = {host.host_id: host for host in hosts}
        with self._lock:
            self._listed = listed
        return dict(listed)

    def _find(self, reference: HostId | HostName) -> FargateHost | None:
        """A host as last listed in this process, else as ECS shows it now; None when ECS doesn't know it."""
        with self._lock:
            for host in self._listed.values():
                if (host.host_id if isinstance(reference, HostId) else host.name) == str(reference):
                    return host
        try:
            found = self.cli.show(str(reference))
        except CliError as error:
            if error.code == "not-found":
                return None
            raise self._unavailable(error) from error
        except CliUnusableError as error:
            raise self._unavailable(error) from error
        self._note(found)
        return found

    def _must_find(self, host: HostInterface | HostId) -> FargateHost:
        host_id = _id_of(host)
        found = self._find(host_id)
        if found is None:
            raise HostNotFoundError(self.name, host_id)
        return found

    def _tag(self, host: HostInterface | HostId, to_set: Mapping[str, str], to_remove: Sequence[str]) -> None:
        if to_set or to_remove:
            self._update(lambda: self.cli.tag(str(_id_of(host)), to_set, to_remove))

    def _update(self, change: Callable[[], FargateHost]) -> FargateHost:
        try:
            changed = change()
        except CliError as error:
            raise ProviderError(self.name, str(error)) from error
        except CliUnusableError as error:
            raise self._unavailable(error) from error
        self._note(changed)
        return changed

    def _note(self, host: FargateHost) -> None:
        with self._lock:
            self._listed[host.host_id] = host

    def _evict(self, host_id: HostId) -> None:
        with self._lock:
            present = self._online.pop(str(host_id), None)
        if present is not None:
            present[1].disconnect()

    def _forget(self, host_id: HostId) -> None:
        self._evict(host_id)
        with self._lock:
            self._listed.pop(str(host_id), None)

    def _discard(self, host_id: str) -> None:
        """Ends a host that nobody will use. The error on its way is the one to show, so another is only logged."""
        try:
            self.destroy_host(HostId(host_id))
        except Exception as error:  # noqa: BLE001 - see above
            logger.error("Host {} may still run: {}", host_id, error)
        self.records.remove(host_id)

    def _online_host(self, host: FargateHost) -> Host:
        """mngr's object for the host, the same as before while the address is the same."""
        if (problem := _unusable(host)) is not None or host.address is None:
            raise ProviderError(self.name, f"Host {host.name} can't be used from here: {problem}")
        with self._lock:
            present = self._online.get(host.host_id)
            if present is not None and (present[0].address, present[0].name) == (host.address, host.name):
                return present[1]
            connection = create_pyinfra_host(
                hostname=host.address.host,
                port=host.address.port,
                private_key_path=Path(host.identity_file or ""),
                known_hosts_path=Path(host.known_hosts_file or ""),
                ssh_user=host.address.user,
            )
            online = Host(
                id=HostId(host.host_id),
                host_name=HostName(host.name),
                connector=PyinfraConnector(connection),
                provider_instance=self,
                mngr_ctx=self.mngr_ctx,
                on_updated_host_data=self._on_updated_host_data,
            )
            self._online[host.host_id] = (host, online)
            return online

    def _ended_host(self, reference: HostId | HostName, host: FargateHost | None) -> HostInterface:
        host_id = host.host_id if host is not None else str(reference)
        if isinstance(reference, HostName) and host is None:
            host_id = next((known for known in self.records.host_ids() if self._is_named(known, reference)), host_id)
        record = self.records.read(host_id)
        if record is not None:
            return self._offline_from_record(HostId(host_id), record)
        if host is not None:
            return self._offline_view(host)
        raise HostNotFoundError(self.name, reference)

    def _is_named(self, host_id: str, name: HostName) -> bool:
        record = self.records.read(host_id)
        return record is not None and record.host.get("host_name") == str(name)

    def _offline_view(self, host: FargateHost) -> FargateOfflineHost:
        record = self.records.read(host.host_id)
        data = certified_data_of(host) if record is None else CertifiedHostData.model_validate(record.host)
        return self._offline(HostId(host.host_id), data, _state_of(host))

    def _offline_from_record(self, host_id: HostId, record: HostRecord) -> FargateOfflineHost:
        with self._lock:
            listed = self._listed.get(str(host_id))
        state = HostState.DESTROYED if listed is None else _state_of(listed)
        return self._offline(host_id, CertifiedHostData.model_validate(record.host), state)

    def _offline(self, host_id: HostId, data: CertifiedHostData, state: HostState) -> FargateOfflineHost:
        return FargateOfflineHost(
            id=host_id,
            certified_host_data=data,
            provider_instance=self,
            mngr_ctx=self.mngr_ctx,
            on_updated_host_data=self._on_updated_host_data,
            known_state=state,
        )

    def _discovered(self, host_id: str, name: str, state: HostState) -> DiscoveredHost:
        return DiscoveredHost(
            host_id=HostId(host_id), host_name=HostName(name), provider_name=self.name, host_state=state
        )

    def _remember(self, host: FargateHost) -> None:
        self._note(host)
        self._change_record(HostId(host.host_id), lambda record: record)

    def _on_updated_host_data(self, host_id: HostId, data: CertifiedHostData) -> None:
        host = data.model_dump(by_alias=True, mode="json")
        self._change_record(host_id, lambda record: record.model_copy(update={"host": host}))

    def _change_record(self, host_id: HostId, change: Callable[[HostRecord], HostRecord]) -> None:
        """Changes a host's record, made from what ECS says where there is none yet."""
        with self._lock:
            listed = self._listed.get(str(host_id))

        def changed(present: HostRecord | None) -> HostRecord | None:
            if present is None and listed is None:
                return None
            return change(present or _first_record(listed))

        self.records.update(str(host_id), changed)

    def _unavailable(self, error: CliError | CliUnusableError) -> MngrError:
        hint = error.hint if isinstance(error, CliError) else None
        message = error.message if isinstance(error, CliError) else str(error)
        return ProviderUnavailableError(self.name, message, hint or "Run `mngr-fargate list` to see what is wrong.")


def _first_record(host: FargateHost) -> HostRecord:
    data = certified_data_of(host).model_dump(by_alias=True, mode="json")
    return HostRecord(host=data, size=_size_of(host))


def _with_agents(record: HostRecord, agents: dict[str, dict[str, Any]]) -> HostRecord:
    return record.model_copy(update={"agents": agents})


def _ended(record: HostRecord | None) -> HostRecord | None:
    if record is None:
        return None
    now = datetime.now(UTC).isoformat()
    return record.model_copy(
        update={"host": {**record.host, "stop_reason": HostState.DESTROYED.value, "updated_at": now}}
    )


def _id_of(host: HostInterface | HostId) -> HostId:
    return host.id if isinstance(host, HostInterface) else host


def _size_of(host: FargateHost) -> HostSize:
    return HostSize(cpu=host.cpu, memory=host.memory, ephemeral_storage=host.ephemeral_storage)


def _unusable(host: FargateHost) -> str | None:
    """Why a live host can't be worked on from this machine; None when it can."""
    if not host.ready or host.address is None:
        return f"it is not ready ({host.state})"
    if host.identity_file is None or host.known_hosts_file is None:
        return "it was created on another machine, and this one has no key for it"
    return None


def _state_of(host: FargateHost) -> HostState:
    if not host.is_live:
        return HostState.DESTROYED
    if host.state in ("DEACTIVATING", "STOPPING", "DEPROVISIONING"):
        return HostState.STOPPING
    if not host.ready:
        return HostState.BUILDING
    return HostState.RUNNING if _unusable(host) is None else HostState.UNAUTHENTICATED
