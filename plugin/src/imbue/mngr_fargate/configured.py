"""Whether anybody meant this provider to be used."""

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imbue.mngr.config.data_types import MngrContext

# With one of these set, `mngr-fargate` needs no block.
_ENVIRONMENT = ("MNGR_FARGATE_STACK", "MNGR_FARGATE_SUBNETS")


def is_configured(name: str, mngr_ctx: "MngrContext") -> bool:
    """True with a block in mngr's settings, a block in mngr-fargate's config.toml, or its environment variables.

    A block in config.toml that can't be read counts: `mngr-fargate` then says what is wrong with it.
    """
    if any(str(configured) == name for configured in mngr_ctx.config.providers):
        return True
    if name == os.environ.get("MNGR_FARGATE_PROVIDER", "fargate") and any(os.environ.get(key) for key in _ENVIRONMENT):
        return True
    # <base>/profiles/<profile>: config.toml is in the base directory.
    return _has_block(mngr_ctx.profile_dir.parent.parent / "config.toml", name)


def _has_block(path: Path, name: str) -> bool:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return False
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return True
    providers = document.get("providers")
    return isinstance(providers, dict) and name in providers
