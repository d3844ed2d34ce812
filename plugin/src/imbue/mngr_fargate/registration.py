"""How the backend is announced: lazily where mngr knows that form (0.3.0), else with its class."""

from typing import TYPE_CHECKING

from imbue.mngr_fargate.build_args import ARGUMENTS_HELP
from imbue.mngr_fargate.config import FargateProviderConfig

if TYPE_CHECKING:
    from imbue.mngr_fargate.backend import FargateProviderBackend


def _load_backend() -> "type[FargateProviderBackend]":
    from imbue.mngr_fargate.backend import FargateProviderBackend  # noqa: PLC0415

    return FargateProviderBackend


def registration() -> object:
    """What `register_provider_backend` returns."""
    try:
        from imbue.mngr.interfaces.provider_backend import LazyProviderBackend  # noqa: PLC0415
    except ImportError:
        return _load_backend(), FargateProviderConfig
    from imbue.mngr.primitives import ProviderBackendName  # noqa: PLC0415

    return LazyProviderBackend(
        name=ProviderBackendName("fargate"),
        config_class=FargateProviderConfig,
        load=_load_backend,
        build_args_help=ARGUMENTS_HELP,
        start_args_help=ARGUMENTS_HELP,
    )
