"""Hosts that can't be worked on: ended, not ready yet, or created on another machine."""

from imbue.mngr.hosts.offline_host import OfflineHost
from imbue.mngr.primitives import HostState
from pydantic import Field


class FargateOfflineHost(OfflineHost):
    """An offline host whose state ECS has told. mngr would take every one for destroyed.

    mngr 0.3.0 has a field for this, `observed_state`; 0.2 has none, so this one serves both.
    """

    known_state: HostState = Field(frozen=True, description="the state as ECS shows it")

    def get_state(self) -> HostState:
        return HostState.FAILED if self.certified_host_data.failure_reason is not None else self.known_state
