"""Records of hosts on this machine's disk."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imbue.mngr_fargate.records import HostRecord, HostRecords

RECORD = HostRecord(host={"host_name": "fox"}, cpu=1024, memory=4096, ephemeral_storage=20)


def test_keeps_what_was_written(tmp_path: Path) -> None:
    records = HostRecords(tmp_path / "records")
    assert records.host_ids() == []
    assert records.read("host-1") is None
    records.update("host-1", lambda present: present or RECORD)
    assert HostRecords(tmp_path / "records").read("host-1") == RECORD
    assert records.host_ids() == ["host-1"]
    records.remove("host-1")
    records.remove("host-1")
    assert records.host_ids() == []


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    records = HostRecords(tmp_path / "records")
    records.update("host-1", lambda _: RECORD)
    assert stat.S_IMODE((tmp_path / "records").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "records" / "host-1.json").stat().st_mode) == 0o600


def test_goes_on_without_a_broken_one(tmp_path: Path) -> None:
    records = HostRecords(tmp_path)
    (tmp_path / "host-1.json").write_text("{")
    assert records.read("host-1") is None
    records.update("host-1", lambda present: present or RECORD)
    assert records.read("host-1") == RECORD


def test_no_change_is_lost(tmp_path: Path) -> None:
    def add(number: int) -> None:
        def with_agent(present: HostRecord | None) -> HostRecord:
            record = present or RECORD
            return record.model_copy(update={"agents": {**record.agents, str(number): {"id": number}}})

        HostRecords(tmp_path).update("host-1", with_agent)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    record = HostRecords(tmp_path).read("host-1")
    assert record is not None
    assert len(record.agents) == 40
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []
