"""Versions of mngr, supported and not."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from imbue.mngr.config.data_types import MngrConfig
from imbue.mngr.errors import MngrError
from imbue.mngr.primitives import ProviderInstanceName

from conftest import FakeCli, context_of
from imbue.mngr_fargate import compatibility
from imbue.mngr_fargate.compatibility import SUPPORTED_MNGR, unsupported_mngr
from imbue.mngr_fargate.config import FargateProviderConfig
from imbue.mngr_fargate.plugin import register_provider_backend
from imbue.mngr_fargate.unsupported import unsupported_registration

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]


def pretend(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(compatibility, "version", lambda _: version)


def test_the_package_says_the_same() -> None:
    assert PROJECT["dependencies"] == [f"imbue-mngr{SUPPORTED_MNGR}"]


def test_this_version_is_supported_and_gets_the_backend() -> None:
    assert unsupported_mngr() is None
    registered = register_provider_backend()
    config_class = registered[1] if isinstance(registered, tuple) else registered.config_class  # type: ignore[attr-defined]
    assert config_class is FargateProviderConfig


@pytest.mark.parametrize("version", ["0.2.13", "0.2.17", "0.3.0", "0.3.12", "0.3.1rc1", "0.3.0+local"])
def test_supported(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    pretend(monkeypatch, version)
    assert unsupported_mngr() is None


@pytest.mark.parametrize("version", ["0.2.12", "0.1.9", "0.4.0", "0.4.0rc1", "1.0", "unknown"])
def test_unsupported(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    pretend(monkeypatch, version)
    assert f"works with imbue-mngr {SUPPORTED_MNGR}, and {version} is installed" in (unsupported_mngr() or "")


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(compatibility, "version", missing)
    assert "not installed" in (unsupported_mngr() or "")


def test_an_unsupported_mngr_gets_a_backend_that_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, "0.9.0")
    registered = register_provider_backend()
    assert isinstance(registered, tuple)
    backend, config_class = registered
    # A block with any key is taken, or every mngr command would end with it.
    config = config_class(ecs_cluster="x", from_the_future=1)
    context = context_of(MngrConfig(), tmp_path)
    with pytest.raises(MngrError, match=r"works with imbue-mngr .*, and 0\.9\.0 is installed"):
        backend.build_provider_instance(ProviderInstanceName("fargate"), config, context)


def test_a_mngr_without_such_interfaces_gets_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("imbue.mngr_fargate.unsupported._refusing_backend", lambda _: 1 / 0)
    assert unsupported_registration("no luck") is None
    assert capsys.readouterr().err == "no luck\n"


def test_registering_starts_no_program(fake_cli: FakeCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNGR_FARGATE_CLI_PATH", str(fake_cli.path))
    register_provider_backend()
    assert fake_cli.calls == []
