"""The backend that mngr builds provider instances with."""

from imbue.mngr.config.data_types import MngrContext, ProviderInstanceConfig
from imbue.mngr.errors import ConfigStructureError, ProviderEmptyError
from imbue.mngr.interfaces.provider_backend import ProviderBackendInterface
from imbue.mngr.interfaces.provider_instance import ProviderInstanceInterface
from imbue.mngr.primitives import ProviderBackendName, ProviderInstanceName

from imbue.mngr_fargate.build_args import ARGUMENTS_HELP
from imbue.mngr_fargate.config import FargateProviderConfig
from imbue.mngr_fargate.configured import is_configured


class FargateProviderBackend(ProviderBackendInterface):
    """Hosts that are AWS Fargate tasks."""

    @staticmethod
    def get_name() -> ProviderBackendName:
        return ProviderBackendName("fargate")

    @staticmethod
    def get_description() -> str:
        return "Runs agents in AWS ECS Fargate tasks, reached over SSH"

    @staticmethod
    def get_config_class() -> type[ProviderInstanceConfig]:
        return FargateProviderConfig

    @staticmethod
    def get_build_args_help() -> str:
        return ARGUMENTS_HELP

    @staticmethod
    def get_start_args_help() -> str:
        return ARGUMENTS_HELP

    @staticmethod
    def build_provider_instance(
        name: ProviderInstanceName, config: ProviderInstanceConfig, mngr_ctx: MngrContext
    ) -> ProviderInstanceInterface:
        """Starts no program and makes no call.

        Raises ProviderEmptyError where nobody configured the provider: mngr builds an instance of every installed
        backend, and its commands then skip this one.
        """
        from imbue.mngr_fargate.archive import HostArchive  # noqa: PLC0415
        from imbue.mngr_fargate.cli import FargateCli  # noqa: PLC0415
        from imbue.mngr_fargate.fleet import Fleet  # noqa: PLC0415
        from imbue.mngr_fargate.instance import FargateProvider  # noqa: PLC0415
        from imbue.mngr_fargate.records import HostRecords  # noqa: PLC0415

        if not isinstance(config, FargateProviderConfig):
            raise ConfigStructureError(f"provider {name} has a {type(config).__name__}, not a FargateProviderConfig")
        if not is_configured(str(name), mngr_ctx):
            raise ProviderEmptyError(
                name,
                f'it is not configured: add [providers.{name}] with backend = "fargate" to mngr\'s settings.toml, '
                "or run `mngr-fargate config write`",
            )
        cli = FargateCli(provider=str(name), settings=tuple(config.cli_settings()), program=config.cli_path)
        fleet = Fleet(name, cli)
        records = HostRecords(mngr_ctx.profile_dir / "fargate" / "records" / str(name))
        return FargateProvider(
            name=name,
            host_dir=config.host_dir,
            mngr_ctx=mngr_ctx,
            config=config,
            cli=cli,
            fleet=fleet,
            archive=HostArchive(records, fleet),
        )
