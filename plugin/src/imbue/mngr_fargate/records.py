"""What mngr is told of hosts that it can't reach: their data and their agents as last seen from this machine.

ECS knows the hosts; nothing here is needed for that. A record is a copy that outlives the host, so that mngr can list
agents of a host that has ended. One file a host, readable by its owner alone.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loguru import logger
from pydantic import BaseModel, ConfigDict, ValidationError


class HostRecord(BaseModel):
    """mngr's data.json of the host, that of its agents by their id, and its size: CPU units, MiB and GiB."""

    model_config = ConfigDict(frozen=True)

    host: dict[str, Any]
    cpu: int
    memory: int
    ephemeral_storage: int
    agents: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class HostRecords:
    """The records of one provider. Safe for threads and for other mngr processes."""

    folder: Path

    def host_ids(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("host-*.json"))

    def read(self, host_id: str) -> HostRecord | None:
        """None when there is none, or when it can't be read."""
        path = self._path(host_id)
        try:
            return HostRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            logger.warning("Continuing without {}, which can't be read", path)
            logger.debug("{}", error)
            return None

    def update(self, host_id: str, change: Callable[[HostRecord | None], HostRecord | None]) -> None:
        """Writes what `change` makes of the present record; nothing if that is None."""
        with self._locked():
            changed = change(self.read(host_id))
            if changed is not None:
                self._write(self._path(host_id), changed.model_dump_json(indent=1))

    def remove(self, host_id: str) -> None:
        with self._locked():
            self._path(host_id).unlink(missing_ok=True)

    def _path(self, host_id: str) -> Path:
        return self.folder / f"{host_id}.json"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The lock is freed with the descriptor, whatever becomes of the process.
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, path: Path, text: str) -> None:
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
