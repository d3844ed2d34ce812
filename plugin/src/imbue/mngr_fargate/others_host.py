"""Hosts that mngr works on and didn't make."""

from datetime import UTC, datetime

from imbue.mngr.hosts.host import Host
from imbue.mngr.primitives import ActivitySource


class OthersHost(Host):
    """A host that somebody else made, for example `mngr-fargate create`.

    mngr's gc destroys a host that has no agents of mngr's once its host-level activity is old. Only gc asks for the
    activity at boot; such a host isn't mngr's to clean up, so for gc it is always in use.
    """

    def get_reported_activity_time(self, activity_type: ActivitySource) -> datetime | None:
        if activity_type == ActivitySource.BOOT:
            return datetime.now(UTC)
        return super().get_reported_activity_time(activity_type)
