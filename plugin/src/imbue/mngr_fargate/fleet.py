"""The hosts as ECS shows them, remembered for the length of one mngr command."""

import threading
from collections.abc import Callable

from imbue.mngr.errors import HostNotFoundError, MngrError, ProviderError, ProviderUnavailableError
from imbue.mngr.primitives import HostId, HostName, HostState, ProviderInstanceName

from imbue.mngr_fargate.cli import CliError, CliFailure, CliUnusableError, FargateCli
from imbue.mngr_fargate.contract import FargateHost


class Fleet:
    """Asks `mngr-fargate` and turns its errors into mngr's. mngr reads hosts in parallel threads."""

    def __init__(self, provider: ProviderInstanceName, cli: FargateCli) -> None:
        self._provider = provider
        self._cli = cli
        self._lock = threading.Lock()
        self._known: dict[str, FargateHost] = {}
        # True once every live host is known: mngr asks for each ended host too, and none of these may cost a call.
        self._is_listed = False

    def hosts(self) -> dict[str, FargateHost]:
        """Every live host by its id, as of now. Raises ProviderUnavailableError."""
        try:
            hosts = self._cli.list_hosts()
        except CliFailure as error:
            raise self.unavailable(error) from error
        with self._lock:
            self._known = {host.host_id: host for host in hosts}
            self._is_listed = True
            return dict(self._known)

    def known(self, host_id: HostId) -> FargateHost | None:
        """The host as it was last seen. Makes no call."""
        with self._lock:
            return self._known.get(str(host_id))

    def find(self, reference: HostId | HostName) -> FargateHost | None:
        """A host as it was last seen, else as ECS shows it now; None of one that has ended or never was.

        After a listing no call is made: a host that wasn't in it doesn't live.
        """
        with self._lock:
            for host in self._known.values():
                if (host.host_id if isinstance(reference, HostId) else host.name) == str(reference):
                    return host
            if self._is_listed:
                return None
        try:
            return self.note(self._cli.show(str(reference)))
        except CliError as error:
            if error.code == "not-found":
                return None
            raise self.unavailable(error) from error
        except CliUnusableError as error:
            raise self.unavailable(error) from error

    def must_find(self, host_id: HostId) -> FargateHost:
        """As `find`, but raises HostNotFoundError."""
        found = self.find(host_id)
        if found is None:
            raise HostNotFoundError(self._provider, host_id)
        return found

    def change(self, call: Callable[[FargateCli], FargateHost]) -> FargateHost:
        """Runs a call that changes a host, and remembers what it became. Raises ProviderError for a refusal."""
        try:
            return self.note(call(self._cli))
        except CliError as error:
            raise ProviderError(self._provider, str(error)) from error
        except CliUnusableError as error:
            raise self.unavailable(error) from error

    def note(self, host: FargateHost) -> FargateHost:
        with self._lock:
            self._known[host.host_id] = host
        return host

    def forget(self, host_id: HostId) -> None:
        with self._lock:
            self._known.pop(str(host_id), None)

    def forget_all(self) -> None:
        with self._lock:
            self._known.clear()
            self._is_listed = False

    def unavailable(self, error: CliFailure) -> MngrError:
        """mngr's error for a provider that can't be asked; commands go on with the others."""
        unavailable = ProviderUnavailableError(self._provider, error.message)
        # mngr 0.2.13 has no argument for it.
        unavailable.user_help_text = error.hint or "`mngr-fargate list` must work first."
        return unavailable


def unusable(host: FargateHost) -> str | None:
    """Why a live host can't be worked on from this machine; None when it can."""
    if not host.ready or host.address is None:
        return f"it is not ready ({host.state})"
    if host.identity_file is None or host.known_hosts_file is None:
        return "it was created on another machine, and this machine has no key for it"
    return None


def state_of(host: FargateHost) -> HostState:
    """mngr's word for the state that ECS shows. A task that has stopped can't be started again: it is destroyed."""
    if not host.is_live:
        return HostState.DESTROYED
    if host.state in ("DEACTIVATING", "STOPPING", "DEPROVISIONING"):
        return HostState.STOPPING
    if not host.ready:
        return HostState.BUILDING
    return HostState.RUNNING if unusable(host) is None else HostState.UNAUTHENTICATED
