"""The provider block, and when a provider counts as configured."""

from pathlib import Path

import pytest
from imbue.mngr.config.data_types import MngrConfig, MngrContext, ProviderInstanceConfig
from imbue.mngr.errors import ProviderEmptyError
from imbue.mngr.primitives import ProviderInstanceName
from pydantic import ValidationError

from conftest import context_of
from imbue.mngr_fargate.backend import FargateProviderBackend
from imbue.mngr_fargate.config import CLI_KEYS, FargateProviderConfig
from imbue.mngr_fargate.instance import FargateProvider

# The seed's keys with their defaults; those of mngr's first Fargate plugin that its documents left out; ours.
DOCUMENTED = {
    "aws_region": "us-east-1",
    "ecs_cluster": "mngr",
    "task_definition": "mngr-task",
    "subnets": (),
    "security_groups": (),
    "assign_public_ip": True,
    "container_name": "agent",
    "cpu": 1024,
    "memory": 4096,
    "aws_profile": None,
    "aws_role_arn": None,
    "default_idle_timeout": 3600,
}
UNDOCUMENTED = {"host_dir", "default_image", "default_idle_mode", "default_activity_sources"}
OURS = {"default_max_age", "architecture", "log_group", "transport", "proxy_jump", "cli_path"}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MNGR_FARGATE_STACK", "MNGR_FARGATE_SUBNETS", "MNGR_FARGATE_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


def test_has_exactly_these_keys() -> None:
    own = set(FargateProviderConfig.model_fields) - set(ProviderInstanceConfig.model_fields)
    assert own == {*DOCUMENTED, *UNDOCUMENTED, *OURS}
    config = FargateProviderConfig()
    assert {key: getattr(config, key) for key in DOCUMENTED} == DOCUMENTED


def test_refuses_other_keys() -> None:
    with pytest.raises(ValidationError):
        FargateProviderConfig.model_validate({"clutser": "x"})


def test_hands_on_what_the_block_sets_and_nothing_else() -> None:
    assert list(FargateProviderConfig().cli_settings()) == []
    config = FargateProviderConfig.model_validate(
        {"ecs_cluster": "mngr", "subnets": ["a", "b"], "security_groups": [], "assign_public_ip": False, "cpu": 512}
    )
    assert list(config.cli_settings()) == ["ecs_cluster=mngr", "subnets=a,b", "assign_public_ip=false", "cpu=512"]
    assert set(CLI_KEYS) == {*DOCUMENTED, "default_max_age", "architecture", "log_group", "transport", "proxy_jump"}


def build(mngr_ctx: MngrContext, name: str = "fargate") -> object:
    config = FargateProviderConfig()
    return FargateProviderBackend.build_provider_instance(ProviderInstanceName(name), config, mngr_ctx)


def test_an_unconfigured_provider_is_empty(mngr_ctx: MngrContext) -> None:
    with pytest.raises(ProviderEmptyError, match="is not configured"):
        build(mngr_ctx)


@pytest.mark.parametrize("text", ["[providers.fargate]\n", "not toml"])
def test_a_block_of_our_own_file_configures_it(mngr_ctx: MngrContext, text: str) -> None:
    (mngr_ctx.profile_dir.parent.parent / "config.toml").write_text(text)
    assert isinstance(build(mngr_ctx), FargateProvider)


def test_a_block_of_another_provider_does_not(mngr_ctx: MngrContext) -> None:
    (mngr_ctx.profile_dir.parent.parent / "config.toml").write_text('profile = "p"\n[providers.other]\n')
    with pytest.raises(ProviderEmptyError):
        build(mngr_ctx)


def test_the_environment_configures_it(mngr_ctx: MngrContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNGR_FARGATE_SUBNETS", "subnet-1")
    assert isinstance(build(mngr_ctx), FargateProvider)
    with pytest.raises(ProviderEmptyError):
        build(mngr_ctx, "another")


def test_a_block_of_mngrs_settings_configures_it(tmp_path: Path) -> None:
    name = ProviderInstanceName("mine")
    config = MngrConfig(providers={name: FargateProviderConfig()})
    assert isinstance(build(context_of(config, tmp_path), "mine"), FargateProvider)
