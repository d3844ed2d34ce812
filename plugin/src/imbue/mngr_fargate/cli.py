"""Runs `mngr-fargate` and reads what it prints."""

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from loguru import logger
from pydantic import BaseModel, ValidationError

from imbue.mngr_fargate.contract import (
    CONTRACT_VERSION,
    CreateProgress,
    ErrorDocument,
    FargateHost,
    hosts_in,
)
from imbue.mngr_fargate.printable import printable

Document = TypeVar("Document", bound=BaseModel)

CLI_PATH_VARIABLE: Final = "MNGR_FARGATE_CLI_PATH"
# Seconds for calls that mngr makes on every command: a slow endpoint must not freeze them. `create` has a limit of
# its own.
_CALL_TIMEOUT: Final = 60.0
# Seconds for a call that took too long to end by itself.
_END_TIMEOUT: Final = 10.0
# Seconds for a create to stop what it started, once it was told to. The command itself gives StopTask 60.
_CLEAN_UP_TIMEOUT: Final = 90.0


class CliFailure(Exception):  # noqa: N818 - the two kinds below are the errors
    """A command that gave no answer: what was wrong, in one sentence, and what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = printable(message)
        self.hint = None if hint is None else printable(hint)
        super().__init__(self.message if self.hint is None else f"{self.message} ({self.hint})")


class CliUnusableError(CliFailure):
    """`mngr-fargate` is absent, too old, or doesn't speak the contract."""


class CliError(CliFailure):
    """`mngr-fargate` ran and reported an error, with a code of docs/cli.md."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.code = code


@dataclass(frozen=True)
class FargateCli:
    """`mngr-fargate` for one provider. `settings` are `KEY=VALUE` pairs that go before its own."""

    provider: str
    settings: Sequence[str] = ()
    program: Path | None = None

    def list_hosts(self) -> tuple[FargateHost, ...]:
        """Every live host of the provider. Connects to none of them."""
        answer = self._run(["list", "--no-idle"], timeout=_CALL_TIMEOUT)
        try:
            hosts, unreadable = hosts_in(answer)
        except ValidationError as error:
            raise _unreadable(error) from error
        for problem in unreadable:
            logger.warning("Continuing without a host that can't be read: {}", printable(problem))
        return hosts

    def show(self, reference: str) -> FargateHost:
        """One host by name or id. Raises CliError `not-found`."""
        return self._read(["show", "--no-idle", reference], FargateHost)

    def create(self, name: str, options: Sequence[str], on_progress: Callable[[CreateProgress], None]) -> FargateHost:
        """Starts a host and waits until it is ready. Whatever ends this early, Ctrl-C included, ends the task."""

        def on_line(line: str) -> None:
            try:
                progress = CreateProgress.model_validate_json(line)
            except ValidationError:
                logger.debug("mngr-fargate: {}", printable(line))
            else:
                on_progress(progress)

        words = ["create", name, "--owner", "mngr", "--progress", "json", *options]
        return self._read(words, FargateHost, None, on_line)

    def destroy(self, host_id: str) -> None:
        """Ends a host and removes its keys from this machine. It is not an error if the host is gone."""
        try:
            self._run(["destroy", host_id, "--yes"], timeout=_CALL_TIMEOUT)
        except CliError as error:
            if error.code != "not-found":
                raise

    def rename(self, host_id: str, name: str) -> FargateHost:
        return self._read(["rename", host_id, name], FargateHost)

    def tag(self, host_id: str, to_set: Mapping[str, str], to_remove: Sequence[str]) -> FargateHost:
        changes = [*(f"{key}={value}" for key, value in to_set.items()), *(f"{key}-" for key in to_remove)]
        return self._read(["tag", host_id, *changes], FargateHost)

    def _read(
        self,
        words: Sequence[str],
        model: type[Document],
        timeout: float | None = _CALL_TIMEOUT,
        on_line: Callable[[str], None] | None = None,
    ) -> Document:
        answer = self._run(words, timeout, on_line)
        try:
            return model.model_validate_json(answer)
        except ValidationError as error:
            raise _unreadable(error) from error

    def _run(
        self, words: Sequence[str], timeout: float | None = None, on_line: Callable[[str], None] | None = None
    ) -> str:
        """What the command printed. Raises CliError for an error that it reported, else CliUnusableError."""
        program = find_program(self.program)
        settings = [word for pair in self.settings for word in ("--set", pair)]
        common = ["--json", "--contract", str(CONTRACT_VERSION), "--provider", self.provider, *settings]
        run = _run_program([str(program), *common, *words], timeout, on_line)
        if run.exit_code == 0:
            return run.stdout
        try:
            problem = ErrorDocument.model_validate_json(run.stdout).error
        except ValidationError:
            said = run.last_line or run.stdout.strip() or "nothing"
            raise CliUnusableError(f"{program} ended with exit code {run.exit_code}, saying: {said}") from None
        if problem.code == "usage" and "unknown option '--contract'" in problem.message:
            raise CliUnusableError(
                f"{program} is older than this plugin: install the version of mngr-fargate that matches the plugin"
            )
        raise CliError(problem.code, problem.message, problem.hint)


def find_program(configured: Path | None) -> Path:
    """The program: as configured (`cli_path`), as in the environment, or on the PATH. Raises CliUnusableError."""
    named = configured or Path(os.environ.get(CLI_PATH_VARIABLE) or "")
    if named != Path():
        program = named.expanduser()
        if program.is_file():
            return program
        source = "cli_path" if configured else CLI_PATH_VARIABLE
        raise CliUnusableError(f"{source} names {program}, which does not exist")
    found = shutil.which("mngr-fargate")
    if found is not None:
        return Path(found)
    raise CliUnusableError(
        "mngr-fargate is not on the PATH: install it, "
        f"or name it with cli_path in the provider block or with {CLI_PATH_VARIABLE}"
    )


def _unreadable(error: ValidationError) -> CliUnusableError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the document"
    return CliUnusableError(
        f"mngr-fargate printed output that this plugin can't read ({place}: {first['msg']}): "
        "run `mngr-fargate mngr install` to install the matching plugin"
    )


@dataclass(frozen=True)
class _Run:
    exit_code: int
    stdout: str
    last_line: str


def _run_program(words: Sequence[str], timeout: float | None, on_line: Callable[[str], None] | None) -> _Run:
    """Runs a program to its end. When this is interrupted the program is asked to clean up, and waited for.

    It has a process group of its own: Ctrl-C on the terminal reaches mngr alone, which passes it on once. (A second
    signal ends mngr-fargate without its cleaning up.) When mngr itself is killed, the next line of progress finds its
    pipe broken, and mngr-fargate cleans up all the same.
    """
    logger.trace("Running {}", words)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise CliUnusableError(f"{words[0]} can't be run: {error.strerror or error}") from error
    output: list[str] = []
    # Both pipes are read at once, or a full one would stop the program.
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()), daemon=True)  # type: ignore[union-attr]
    is_late = threading.Event()
    timer = threading.Timer(timeout or 0, _expire, (process, is_late))
    last_line = ""
    with process:
        try:
            reader.start()
            if timeout is not None:
                timer.start()
            for line in process.stderr or ():
                last_line = line.rstrip("\n") or last_line
                if on_line is not None:
                    on_line(line.rstrip("\n"))
            exit_code = process.wait()
            reader.join()
        except BaseException:
            _end(process)
            raise
        finally:
            timer.cancel()
    if is_late.is_set():
        raise CliError("timed-out", f"mngr-fargate did not answer within {timeout:.0f} s")
    return _Run(exit_code, "".join(output), last_line)


def _expire(process: "subprocess.Popen[str]", is_late: threading.Event) -> None:
    """Ends a program that took too long, in a moment if it can, else at once."""
    is_late.set()
    process.terminate()
    try:
        process.wait(_END_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()


def _end(process: "subprocess.Popen[str]") -> None:
    """Asks the program to stop what it has started, and gives it time. A second interrupt ends it at once."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        # Nobody reads its progress any more, and a full pipe would stop it.
        if process.stderr is not None:
            threading.Thread(target=process.stderr.read, daemon=True).start()
        process.wait(_CLEAN_UP_TIMEOUT)
    except subprocess.TimeoutExpired:
        logger.warning("mngr-fargate did not end in time: `mngr list --hosts` shows whether a host is left")
        process.kill()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
