"""`mngr-fargate` as a process: found, run, interrupted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import FakeCli, example
from imbue.mngr_fargate import cli as cli_module
from imbue.mngr_fargate.cli import CliError, CliUnusableError, FargateCli, find_program
from imbue.mngr_fargate.contract import CreateProgress

# Says that it has begun; on SIGTERM says how often it was told and takes a moment to clean up.
INTERRUPTIBLE = """#!{python}
import json, pathlib, signal, sys, time
folder = pathlib.Path(__file__).parent
told = []
signal.signal(signal.SIGINT, lambda *_: told.append("INT"))
signal.signal(signal.SIGTERM, lambda *_: told.append("TERM"))
line = json.dumps({"event": "progress", "step": "run-task", "text": "asking"})
deadline = time.monotonic() + 120
while not told and time.monotonic() < deadline:
    try:
        print(line, file=sys.stderr, flush=True)
    except BrokenPipeError:
        told.append("PIPE")
    time.sleep(0.05)
time.sleep(0.5)
(folder / "told").write_text(" ".join(told))
sys.stderr = None
sys.exit(143)
"""

# Starts a create as mngr would, and says on stdout when it is under way.
CREATE = """
import sys
from pathlib import Path
from imbue.mngr_fargate.cli import FargateCli
cli = FargateCli(provider="fargate", program=Path(sys.argv[1]))
cli.create("fox", [], lambda progress: print(progress.text, flush=True))
"""


def cli_of(fake: FakeCli, *settings: str) -> FargateCli:
    return FargateCli(provider="fargate", settings=settings, program=fake.path)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this never happened"
        time.sleep(0.05)


def test_hands_on_provider_settings_and_contract(fake_cli: FakeCli) -> None:
    cli_of(fake_cli, "ecs_cluster=a b", "subnets=x,y").list_hosts()
    words = json.loads((fake_cli.folder / "calls.jsonl").read_text())
    assert words == [
        *["--json", "--contract", "1", "--provider", "fargate"],
        *["--set", "ecs_cluster=a b", "--set", "subnets=x,y", "list", "--no-idle"],
    ]


def test_tells_of_progress_and_skips_other_lines(fake_cli: FakeCli) -> None:
    line = json.dumps(example("progress"))
    fake_cli.answer("create", example("host-ready"), stderr=f"(node:1) Warning: x\n{line}\n")
    seen: list[CreateProgress] = []
    assert cli_of(fake_cli).create("fox", ["--spot"], seen.append).name == "fox"
    assert [progress.text for progress in seen] == ["asking ECS for a task"]
    assert fake_cli.calls == [["create", "fox", "--owner", "mngr", "--progress", "json", "--spot"]]


def test_reports_errors_with_their_code_and_hint(fake_cli: FakeCli) -> None:
    fake_cli.refuse("list", "denied", "AWS says no", "run aws sso login")
    with pytest.raises(CliError, match=r"AWS says no \(run aws sso login\)") as caught:
        cli_of(fake_cli).list_hosts()
    assert caught.value.code == "denied"


def test_a_host_that_is_gone_is_destroyed(fake_cli: FakeCli) -> None:
    fake_cli.refuse("destroy", "not-found", "there is no such host")
    cli_of(fake_cli).destroy("host-0")


def test_an_older_program_is_named_so(fake_cli: FakeCli) -> None:
    fake_cli.refuse("list", "usage", "unknown option '--contract'", "see mngr-fargate --help")
    with pytest.raises(CliUnusableError, match="is older than this plugin"):
        cli_of(fake_cli).list_hosts()


def test_a_program_that_prints_something_else(fake_cli: FakeCli) -> None:
    fake_cli.answer("list", [{"hostId": "x"}])
    with pytest.raises(CliUnusableError, match=r"can't read \(name: Field required\)"):
        cli_of(fake_cli).list_hosts()
    fake_cli.write("#!/bin/sh\necho 'node: not found' >&2\nexit 127\n")
    with pytest.raises(CliUnusableError, match="exit code 127, saying: node: not found"):
        cli_of(fake_cli).list_hosts()


def test_a_program_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(cli_module.CLI_PATH_VARIABLE, raising=False)
    with pytest.raises(CliUnusableError, match="mngr-fargate is not on the PATH"):
        find_program(None)
    monkeypatch.setenv(cli_module.CLI_PATH_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(CliUnusableError, match=f"{cli_module.CLI_PATH_VARIABLE} names .*none"):
        find_program(None)
    with pytest.raises(CliUnusableError, match="cli_path names /nowhere"):
        find_program(Path("/nowhere"))


def test_where_the_program_is_looked_for(fake_cli: FakeCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cli_module.CLI_PATH_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(fake_cli.folder))
    assert find_program(None) == fake_cli.path
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(cli_module.CLI_PATH_VARIABLE, str(fake_cli.path))
    assert find_program(None) == fake_cli.path


def test_a_program_that_may_not_be_run(fake_cli: FakeCli) -> None:
    fake_cli.path.chmod(0o600)
    with pytest.raises(CliUnusableError, match="can't be run"):
        cli_of(fake_cli).list_hosts()


def test_a_call_that_takes_too_long_is_ended(fake_cli: FakeCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_module, "_CALL_TIMEOUT", 0.2)
    fake_cli.write("#!/bin/sh\nexec sleep 120\n")
    with pytest.raises(CliError, match="did not answer") as caught:
        cli_of(fake_cli).list_hosts()
    assert caught.value.code == "timed-out"


@pytest.mark.parametrize("whom", ["mngr", "the terminal"])
def test_ctrl_c_is_passed_on_once_and_waited_for(fake_cli: FakeCli, whom: str) -> None:
    fake_cli.write(INTERRUPTIBLE)
    words = [sys.executable, "-c", CREATE, str(fake_cli.path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as mngr:
        assert mngr.stdout is not None
        assert mngr.stdout.readline() == b"asking\n"
        if whom == "mngr":
            mngr.send_signal(signal.SIGINT)
        else:
            os.killpg(mngr.pid, signal.SIGINT)
        mngr.communicate(timeout=120)
        # It has waited: what the program does last is done.
        assert (fake_cli.folder / "told").read_text() == "TERM"
        assert mngr.returncode != 0


def test_the_program_notices_that_mngr_was_killed(fake_cli: FakeCli) -> None:
    fake_cli.write(INTERRUPTIBLE)
    words = [sys.executable, "-c", CREATE, str(fake_cli.path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as mngr:
        assert mngr.stdout is not None
        mngr.stdout.readline()
        mngr.kill()
    until((fake_cli.folder / "told").exists)
    assert (fake_cli.folder / "told").read_text() == "PIPE"
