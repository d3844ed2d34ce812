"""Where mngr's SSH connections to a host go."""

from pyinfra.api.host import Host as PyinfraHost
from pyinfra.connectors.sshuserclient.client import get_ssh_config

from imbue.mngr_fargate.contract import FargateHost, HostAddress

_SSH_PORT = 22
_SSH_USER = "root"
# pyinfra gives a connection ten seconds. A session takes a few, and more on a busy machine.
_PATIENCE_SECONDS = 60

ADVICE = (
    "mngr connects to the address of a host itself. Where port 22 is closed, or open to a bastion alone, run "
    "`mngr-fargate config ssh` once: SSH then goes through Session Manager or the bastion"
)


def has_proxy(host_id: str) -> bool:
    """Whether ssh's configuration leads to the host by its id, as `mngr-fargate config ssh` writes it.

    pyinfra reads the same ~/.ssh/config as ssh, rsync and git do.
    """
    configuration = get_ssh_config(None)
    return configuration is not None and "proxycommand" in configuration.lookup(host_id)


def ssh_address(host: FargateHost) -> HostAddress | None:
    """The host's id where ssh's configuration leads to it, else its address. Its key is pinned for both."""
    if has_proxy(host.host_id):
        return HostAddress(host=host.host_id, port=_SSH_PORT, user=_SSH_USER)
    return host.address


def be_patient(connection: PyinfraHost) -> None:
    """Gives the SSH connection the time that a session through a proxy may take."""
    settings = connection.host_data.get("ssh_paramiko_connect_kwargs")
    if isinstance(settings, dict):
        settings["timeout"] = _PATIENCE_SECONDS
