"""What the tests share: a stand-in for `mngr-fargate` that answers as it is told, and a provider that talks to it."""

import json
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pluggy
import pytest
from imbue.mngr.config.data_types import MngrConfig, MngrContext
from imbue.mngr.primitives import ProviderInstanceName

from imbue.mngr_fargate.archive import HostArchive
from imbue.mngr_fargate.cli import FargateCli
from imbue.mngr_fargate.config import FargateProviderConfig
from imbue.mngr_fargate.fleet import Fleet
from imbue.mngr_fargate.instance import FargateProvider
from imbue.mngr_fargate.records import HostRecords

CONTRACT = Path(__file__).parent.parent / "contract"

# Answers with what stands in answers.json under the command's name, and writes down how it was called.
PROGRAM = """#!{python}
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (folder / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
answers = json.loads((folder / "answers.json").read_text())
answer = next(answers[word] for word in words if word in answers)
sys.stderr.write(answer.get("stderr", ""))
sys.stdout.write(answer["stdout"])
sys.exit(answer.get("exitCode", 0))
"""


def example(name: str) -> Any:
    """A document of the contract's examples."""
    return json.loads((CONTRACT / "examples" / f"{name}.json").read_text())


@dataclass
class FakeCli:
    """A program in a folder of its own."""

    folder: Path
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.folder / "mngr-fargate"

    def write(self, text: str = PROGRAM) -> None:
        self.path.write_text(text.replace("{python}", sys.executable))
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def answer(self, command: str, document: Any, exit_code: int = 0, stderr: str = "") -> None:
        self.answers[command] = {"stdout": json.dumps(document) + "\n", "exitCode": exit_code, "stderr": stderr}
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def refuse(self, command: str, code: str, message: str, hint: str | None = None) -> None:
        error: dict[str, Any] = {"code": code, "message": message, "hint": hint, "details": {}}
        self.answer(command, {"error": error}, exit_code=1)

    @property
    def calls(self) -> list[list[str]]:
        """The words of each call, without the common options."""
        path = self.folder / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)[5:] for line in lines]


@pytest.fixture
def fake_cli(tmp_path: Path) -> FakeCli:
    folder = tmp_path / "cli"
    folder.mkdir()
    fake = FakeCli(folder)
    fake.write()
    fake.answer("list", example("hosts"))
    return fake


def context_of(config: MngrConfig, profile: Path) -> MngrContext:
    return MngrContext.model_construct(config=config, pm=pluggy.PluginManager("mngr"), profile_dir=profile)


@pytest.fixture
def mngr_ctx(tmp_path: Path) -> MngrContext:
    """As much of mngr's context as a provider reads when it connects to nothing."""
    profile = tmp_path / "mngr" / "profiles" / "p"
    profile.mkdir(parents=True)
    return context_of(MngrConfig(), profile)


@pytest.fixture
def make_provider(fake_cli: FakeCli, mngr_ctx: MngrContext) -> Callable[[], FargateProvider]:
    """Each one is what another mngr command on the same machine would build."""

    def make() -> FargateProvider:
        name = ProviderInstanceName("fargate")
        config = FargateProviderConfig()
        cli = FargateCli(provider="fargate", program=fake_cli.path)
        fleet = Fleet(name, cli)
        archive = HostArchive(HostRecords(mngr_ctx.profile_dir / "records"), fleet)
        return FargateProvider(
            name=name,
            host_dir=config.host_dir,
            mngr_ctx=mngr_ctx,
            config=config,
            cli=cli,
            fleet=fleet,
            archive=archive,
        )

    return make


@pytest.fixture
def provider(make_provider: Callable[[], FargateProvider]) -> FargateProvider:
    return make_provider()
