"""The provider's interface, as far as it needs no host."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
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
from imbue.mngr.interfaces.data_types import HostLifecycleOptions
from imbue.mngr.primitives import ActivitySource, AgentId, HostId, HostName, HostState, SnapshotName, VolumeId
from imbue.mngr.providers.ssh_utils import save_ssh_keypair
from pyinfra.connectors.sshuserclient.client import get_ssh_config

from conftest import FakeCli, example
from imbue.mngr_fargate.instance import FargateProvider

READY, PENDING, FOREIGN = (HostId(host["hostId"]) for host in example("hosts"))
AGENT = {"id": "agent-0123456789abcdef0123456789abcdef", "name": "fox", "type": "command"}

MakeProvider = Callable[[], FargateProvider]


def discover(provider: FargateProvider, include_destroyed: bool = False) -> dict[str, HostState | None]:
    # Nothing of the group is used: a listing runs no threads.
    hosts = provider.discover_hosts(cast(ConcurrencyGroup, None), include_destroyed)
    return {str(host.host_name): host.host_state for host in hosts}


def all_gone(fake_cli: FakeCli) -> None:
    fake_cli.answer("list", [])
    fake_cli.refuse("show", "not-found", "there is no such host")


def test_discovers_with_one_call_and_no_ssh(provider: FargateProvider, fake_cli: FakeCli) -> None:
    assert discover(provider) == {
        "fox": HostState.RUNNING,
        "owl": HostState.BUILDING,
        "elk": HostState.UNAUTHENTICATED,
    }
    provider.get_host(READY)
    provider.get_host_resources(provider.get_host(READY))
    assert fake_cli.calls == [["list", "--no-idle"]]


@pytest.mark.parametrize("owner", ["launcher", "stack", None])
def test_a_host_that_mngr_did_not_make_is_not_ended(
    provider: FargateProvider, fake_cli: FakeCli, owner: str | None
) -> None:
    fake_cli.answer("list", [{**host, "owner": owner} for host in example("hosts")])
    discover(provider)
    with pytest.raises(ProviderError, match=r"was not created by mngr|belongs to a CloudFormation stack"):
        provider.destroy_host(provider.get_host(READY))
    assert ["destroy", str(READY), "--yes"] not in fake_cli.calls
    host = provider.get_host(READY)
    assert isinstance(host, Host)
    # What mngr's gc asks before it ends a host without agents.
    activity = host.get_reported_activity_time(ActivitySource.BOOT)
    assert activity is not None and datetime.now(UTC) - activity < timedelta(minutes=1)


def test_ended_hosts_cost_no_call(provider: FargateProvider, fake_cli: FakeCli) -> None:
    discover(provider)
    provider.persist_agent_data(READY, AGENT)
    fake_cli.answer("list", [])
    discover(provider, include_destroyed=True)
    assert provider.get_host(READY).get_state() == HostState.DESTROYED
    with pytest.raises(HostNotFoundError):
        provider.get_host(PENDING)
    assert fake_cli.calls == [["list", "--no-idle"]] * 2
    # What another process has done since can be asked for.
    provider.reset_caches()
    fake_cli.answer("show", example("host-ready"))
    assert isinstance(provider.get_host(READY), Host)


def test_a_live_host_that_does_not_answer_is_not_taken_for_destroyed(provider: FargateProvider) -> None:
    assert provider.get_connection_error_fallback_state(READY) is None
    discover(provider)
    provider.on_connection_error(READY)
    assert provider.get_connection_error_fallback_state(READY) == HostState.UNKNOWN
    assert provider.to_offline_host(READY).get_state() == HostState.RUNNING


def test_an_unreachable_aws_makes_the_provider_unavailable(provider: FargateProvider, fake_cli: FakeCli) -> None:
    fake_cli.refuse("list", "denied", "the token has expired", "run aws sso login")
    with pytest.raises(ProviderUnavailableError, match="the token has expired") as caught:
        discover(provider)
    assert caught.value.user_help_text == "run aws sso login"


def test_a_host_to_work_on_has_its_pinned_key(provider: FargateProvider) -> None:
    discover(provider)
    host = provider.get_host(READY)
    assert isinstance(host, Host)
    assert provider.get_host(HostName("fox")) is host
    data = provider.get_connector(host).data
    assert data.get("ssh_known_hosts_file") == example("host-ready")["knownHostsFile"]
    assert data.get("ssh_key") == example("host-ready")["identityFile"]
    assert data.get("ssh_strict_host_key_checking") == "yes"


@pytest.mark.parametrize(("host_id", "why"), [(PENDING, "not ready"), (FOREIGN, "another machine")])
def test_a_host_that_cannot_be_worked_on_is_offline(provider: FargateProvider, host_id: HostId, why: str) -> None:
    discover(provider)
    host = provider.get_host(host_id)
    assert not isinstance(host, Host)
    assert host.get_state() in (HostState.BUILDING, HostState.UNAUTHENTICATED)
    with pytest.raises(MngrError, match=why):
        provider.start_host(host)


def test_finds_one_host_without_a_listing(provider: FargateProvider, fake_cli: FakeCli) -> None:
    fake_cli.answer("show", example("host-ready"))
    assert provider.get_host(HostName("fox")).id == READY
    assert fake_cli.calls == [["show", "--no-idle", "fox"]]


def test_a_host_that_nobody_knows(provider: FargateProvider, fake_cli: FakeCli) -> None:
    all_gone(fake_cli)
    for reference in (READY, HostName("fox")):
        with pytest.raises(HostNotFoundError):
            provider.get_host(reference)


def test_agents_outlive_their_host(make_provider: MakeProvider, fake_cli: FakeCli) -> None:
    before = make_provider()
    discover(before)
    before.persist_agent_data(READY, AGENT)
    all_gone(fake_cli)
    after = make_provider()
    assert discover(after) == {}
    assert discover(after, include_destroyed=True) == {"fox": HostState.DESTROYED}
    for host in (after.get_host(READY), after.get_host(HostName("fox")), after.to_offline_host(READY)):
        assert host.get_state() == HostState.DESTROYED
        assert [str(agent.agent_name) for agent in host.discover_agents()] == ["fox"]
    assert after.get_host_resources(after.get_host(READY)).memory_gb == 4
    after.remove_persisted_agent_data(READY, AgentId(AGENT["id"]))
    assert after.list_persisted_agent_data_for_host(READY) == []


def test_a_deleted_host_is_forgotten(provider: FargateProvider, fake_cli: FakeCli) -> None:
    discover(provider)
    provider.persist_agent_data(READY, AGENT)
    all_gone(fake_cli)
    discover(provider)
    fake_cli.answer("destroy", example("destroyed"))
    provider.delete_host(provider.get_host(READY))
    assert discover(provider, include_destroyed=True) == {}


def test_destroys_by_id_and_marks_the_record(provider: FargateProvider, fake_cli: FakeCli) -> None:
    discover(provider)
    provider.persist_agent_data(READY, AGENT)
    fake_cli.answer("destroy", example("destroyed"))
    provider.destroy_host(READY)
    assert fake_cli.calls[-1] == ["destroy", str(READY), "--yes"]
    all_gone(fake_cli)
    assert provider.to_offline_host(READY).certified_host_data.stop_reason == "DESTROYED"
    assert provider.list_persisted_agent_data_for_host(READY) == []


def test_a_destroy_that_fails_says_that_the_host_may_run(provider: FargateProvider, fake_cli: FakeCli) -> None:
    discover(provider)
    fake_cli.refuse("destroy", "denied", "StopTask is not allowed")
    with pytest.raises((MngrError, ExceptionGroup)) as caught:
        provider.destroy_host(READY)
    errors = caught.value.exceptions if isinstance(caught.value, ExceptionGroup) else [caught.value]
    assert "may still run: StopTask is not allowed" in str(errors[0])


def test_stopping_is_refused_with_what_to_do(provider: FargateProvider) -> None:
    assert not provider.supports_shutdown_hosts
    with pytest.raises(MngrError, match=r"loses its disk when it stops.*mngr destroy"):
        provider.stop_host(READY)


def test_an_ended_host_cannot_be_started(provider: FargateProvider, fake_cli: FakeCli) -> None:
    all_gone(fake_cli)
    with pytest.raises(MngrError, match=r"has ended.*mngr create"):
        provider.start_host(READY)


def test_snapshots_and_volumes_are_refused(provider: FargateProvider) -> None:
    assert (provider.list_snapshots(READY), provider.list_volumes()) == ([], [])
    with pytest.raises(SnapshotsNotSupportedError):
        provider.create_snapshot(READY)
    with pytest.raises(SnapshotsNotSupportedError):
        provider.create_host(HostName("fox"), snapshot=SnapshotName("before"))
    with pytest.raises(MngrError, match="no volumes"):
        provider.delete_volume(VolumeId("vol-" + "0" * 32))


def test_a_name_that_is_taken(provider: FargateProvider, fake_cli: FakeCli) -> None:
    fake_cli.answer("create", example("error"), exit_code=4)
    with pytest.raises(HostNameConflictError):
        provider.create_host(HostName("fox"))


def test_a_failed_create_says_why(provider: FargateProvider, fake_cli: FakeCli) -> None:
    fake_cli.refuse("create", "no-capacity", "Fargate has no room", "try another size")
    with pytest.raises(HostCreationError, match="Fargate has no room"):
        provider.create_host(HostName("fox"))


def test_a_host_that_cannot_be_prepared_is_destroyed(
    provider: FargateProvider, fake_cli: FakeCli, tmp_path: Path
) -> None:
    key, _ = save_ssh_keypair(tmp_path / "keys")
    known_hosts = tmp_path / "known_hosts"
    known_hosts.touch()
    host = {
        **example("host-ready"),
        "address": {"host": "127.0.0.1", "port": 9, "user": "root"},
        "identityFile": str(key),
        "knownHostsFile": str(known_hosts),
    }
    fake_cli.answer("create", host)
    fake_cli.answer("destroy", example("destroyed"))
    with pytest.raises(MngrError, match="mngr-fargate config ssh"):
        provider.create_host(HostName("fox"))
    assert [words[0] for words in fake_cli.calls] == ["create", "destroy"]


def test_a_host_is_reached_by_its_id_where_ssh_is_set_up_for_it(
    provider: FargateProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    discover(provider)
    monkeypatch.setenv("HOME", str(tmp_path))
    included = tmp_path / "ssh_config"
    included.write_text(f"Host host-{'?' * 32}\n  User root\n  ProxyCommand mngr-fargate ssh-proxy %h %p\n")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(f"# BEGIN\nInclude {included}\n# END\nHost other\n  User me\n")
    get_ssh_config.cache.clear()
    try:
        host = provider.get_host(READY)
        assert isinstance(host, Host)
        assert (host.connector.host.name, host.connector.host.data.get("ssh_port")) == (str(READY), 22)
    finally:
        get_ssh_config.cache.clear()


def test_hands_on_what_create_was_asked_for(provider: FargateProvider, fake_cli: FakeCli) -> None:
    fake_cli.refuse("create", "failed", "seen enough")
    with pytest.raises(HostCreationError):
        provider.create_host(
            HostName("fox"),
            tags={"team": "core"},
            build_args=["--cpu", "2"],
            start_args=["spot"],
            lifecycle=HostLifecycleOptions(idle_timeout_seconds=0),
            authorized_keys=["ssh-ed25519 AAAA me"],
        )
    options = ["--cpu=2", "--spot", "--tag=team=core", "--authorized-key=ssh-ed25519 AAAA me", "--idle-timeout=never"]
    assert fake_cli.calls == [["create", "fox", "--owner", "mngr", "--progress", "json", *options]]


def test_tags(provider: FargateProvider, fake_cli: FakeCli) -> None:
    discover(provider)
    changed: dict[str, Any] = {**example("host-ready"), "tags": {"env": "dev"}}
    fake_cli.answer("tag", changed)
    provider.set_host_tags(READY, {"env": "dev"})
    assert fake_cli.calls[-1] == ["tag", str(READY), "env=dev", "team-"]
    assert provider.get_host_tags(READY) == {"env": "dev"}
    provider.remove_tags_from_host(READY, ["env"])
    assert fake_cli.calls[-1] == ["tag", str(READY), "env-"]
    provider.add_tags_to_host(READY, {})
    assert len(fake_cli.calls) == 3


def test_renames_a_host_that_cannot_be_reached(provider: FargateProvider, fake_cli: FakeCli) -> None:
    discover(provider)
    fake_cli.answer("rename", {**example("hosts")[2], "name": "moose"})
    provider.rename_host(FOREIGN, HostName("moose"))
    assert fake_cli.calls[-1] == ["rename", str(FOREIGN), "moose"]
    assert provider.get_host(HostName("moose")).id == FOREIGN
