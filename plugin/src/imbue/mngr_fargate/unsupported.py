"""What the plugin is on a version of mngr that it wasn't made for.

A `[providers.NAME]` block whose backend nobody registers makes every mngr command fail, so a backend is registered all
the same, as far as that version allows: it accepts any key and says what is wrong when it is used.
"""

import sys
from typing import Any


def unsupported_registration(problem: str) -> object:
    """A backend that refuses with `problem`; None, and the sentence on stderr, where not even that can be made."""
    try:
        return _refusing_backend(problem)
    except Exception:  # noqa: BLE001 - what fails in an unknown version can't be known, and may break no command
        sys.stderr.write(f"{problem}\n")
        return None


def _refusing_backend(problem: str) -> object:
    from imbue.mngr.config.data_types import ProviderInstanceConfig  # noqa: PLC0415
    from imbue.mngr.errors import ProviderEmptyError  # noqa: PLC0415
    from imbue.mngr.interfaces.provider_backend import ProviderBackendInterface  # noqa: PLC0415
    from imbue.mngr.primitives import ProviderBackendName  # noqa: PLC0415
    from loguru import logger  # noqa: PLC0415
    from pydantic import ConfigDict, Field  # noqa: PLC0415

    fargate = ProviderBackendName("fargate")

    class RefusingConfig(ProviderInstanceConfig):
        model_config = ConfigDict(extra="allow")

        backend: ProviderBackendName = Field(default=fargate)

    class RefusingBackend(ProviderBackendInterface):
        @staticmethod
        def get_name() -> Any:
            return fargate

        @staticmethod
        def get_description() -> str:
            return problem

        @staticmethod
        def get_config_class() -> Any:
            return RefusingConfig

        @staticmethod
        def get_build_args_help() -> str:
            return problem

        @staticmethod
        def get_start_args_help() -> str:
            return problem

        @staticmethod
        def build_provider_instance(name: Any, config: Any, mngr_ctx: Any) -> Any:
            del config
            if name in mngr_ctx.config.providers:
                logger.warning(problem)
            # Commands that look at every provider skip an empty one; those that need this one show the reason.
            raise ProviderEmptyError(name, problem)

    return RefusingBackend, RefusingConfig
