"""How mngr is told that something was left behind."""

from imbue.mngr.errors import MngrError
from imbue.mngr.primitives import HostId


def left_behind(message: str, host_id: HostId) -> Exception:
    """mngr's error for a host that may still cost money: from 0.2.17 on one that sets the exit code."""
    try:
        from imbue.mngr.interfaces.cleanup_failures import CleanupFailedGroup  # noqa: PLC0415
        from imbue.mngr.interfaces.data_types import CleanupFailure, CleanupFailureCategory  # noqa: PLC0415
    except ImportError:
        return MngrError(message)
    category = CleanupFailureCategory.HOST_RESOURCE_REMAINS
    return CleanupFailedGroup.from_failures([CleanupFailure(category=category, message=message, host_id=host_id)])
