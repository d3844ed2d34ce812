"""Hosts and agents as mngr wants to see them when a host can't be reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imbue.mngr.interfaces.data_types import CertifiedHostData
from imbue.mngr.primitives import AgentId, HostId, HostName, HostState

from imbue.mngr_fargate.contract import FargateHost
from imbue.mngr_fargate.fleet import Fleet
from imbue.mngr_fargate.records import HostRecord, HostRecords

Change = Callable[[HostRecord], HostRecord]


@dataclass(frozen=True)
class HostArchive:
    """Reads and changes records. The first of a host is made from what ECS says of it."""

    records: HostRecords
    fleet: Fleet

    def host_ids(self) -> list[str]:
        return self.records.host_ids()

    def record(self, host_id: HostId) -> HostRecord | None:
        return self.records.read(str(host_id))

    def host_id_of(self, name: HostName) -> HostId | None:
        """The host that had this name last."""
        ids = [host_id for host_id in self.records.host_ids() if self._name_of(host_id) == str(name)]
        return HostId(max(ids, key=self._updated_at)) if ids else None

    def data_of(self, host_id: HostId) -> CertifiedHostData | None:
        """mngr's data of the host as last seen, else what ECS says; None of a host that neither knows."""
        record = self.record(host_id)
        if record is not None:
            return CertifiedHostData.model_validate(record.host)
        host = self.fleet.known(host_id)
        return None if host is None else certified_data_of(host)

    def save_host(self, host_id: HostId, data: CertifiedHostData) -> None:
        host = data.model_dump(by_alias=True, mode="json")
        self._change(host_id, lambda record: record.model_copy(update={"host": host}))

    def save_agent(self, host_id: HostId, agent: Mapping[str, object]) -> None:
        present = {str(agent["id"]): dict(agent)}
        self._change(host_id, lambda record: record.model_copy(update={"agents": {**record.agents, **present}}))

    def remove_agent(self, host_id: HostId, agent_id: AgentId) -> None:
        def without(record: HostRecord) -> HostRecord:
            others = {key: agent for key, agent in record.agents.items() if key != str(agent_id)}
            return record.model_copy(update={"agents": others})

        self._change(host_id, without)

    def agents(self, host_id: HostId) -> list[dict[str, Any]]:
        record = self.record(host_id)
        return [] if record is None else list(record.agents.values())

    def mark_destroyed(self, host_id: HostId) -> None:
        """Its agents went with it, as was asked for. From now on the time runs after which mngr forgets the host."""
        ended = {"stop_reason": HostState.DESTROYED.value, "updated_at": datetime.now(UTC).isoformat()}
        self._change(
            host_id, lambda record: record.model_copy(update={"host": {**record.host, **ended}, "agents": {}})
        )

    def remove(self, host_id: HostId) -> None:
        self.records.remove(str(host_id))

    def _change(self, host_id: HostId, change: Change) -> None:
        """A host that neither ECS nor this machine knows has no record, and gets none."""
        known = self.fleet.known(host_id)

        def changed(present: HostRecord | None) -> HostRecord | None:
            first = _first_record(known) if known is not None else None
            record = present or first
            return None if record is None else change(record)

        self.records.update(str(host_id), changed)

    def _name_of(self, host_id: str) -> str | None:
        record = self.records.read(host_id)
        return None if record is None else record.host.get("host_name")

    def _updated_at(self, host_id: str) -> str:
        record = self.records.read(host_id)
        return "" if record is None else str(record.host.get("updated_at"))


def certified_data_of(host: FargateHost) -> CertifiedHostData:
    """mngr's data of a host of which this machine knows no more than ECS says."""
    return CertifiedHostData(
        host_id=host.host_id,
        host_name=host.name,
        created_at=host.created_at,
        updated_at=datetime.now(UTC),
        image=host.image,
        user_tags=dict(host.tags),
        plugin={"fargate": {"task_arn": host.task_arn}},
    )


def _first_record(host: FargateHost) -> HostRecord:
    return HostRecord(
        host=certified_data_of(host).model_dump(by_alias=True, mode="json"),
        cpu=host.cpu,
        memory=host.memory,
        ephemeral_storage=host.ephemeral_storage,
    )
