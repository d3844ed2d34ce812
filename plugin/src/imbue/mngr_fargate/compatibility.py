"""Which versions of mngr the plugin works with."""

import re
from importlib.metadata import PackageNotFoundError, version
from typing import Final

# Named in pyproject.toml too; a test holds the two together.
SUPPORTED_MNGR: Final = ">=0.2.13,<0.4"
_OLDEST: Final = (0, 2, 13)
_FIRST_UNKNOWN: Final = (0, 4, 0)


def unsupported_mngr() -> str | None:
    """What is wrong with the installed mngr, in one sentence; None when the plugin works with it."""
    try:
        installed = version("imbue-mngr")
    except PackageNotFoundError:
        return f"imbue-mngr-fargate needs imbue-mngr {SUPPORTED_MNGR}, which is not installed as a package"
    if _OLDEST <= _release(installed) < _FIRST_UNKNOWN:
        return None
    return (
        f"imbue-mngr-fargate works with imbue-mngr {SUPPORTED_MNGR}, and {installed} is installed: "
        "run `mngr-fargate mngr install` with a newer mngr-fargate, or install a supported mngr"
    )


def _release(text: str) -> tuple[int, int, int]:
    """Major, minor and micro number; what isn't a number counts as 0, so that an odd version is refused as too old."""
    numbers = [int(number) for number in re.findall(r"\d+", text.split("+", maxsplit=1)[0])[:3]]
    major, minor, micro = (*numbers, 0, 0, 0)[:3]
    return major, minor, micro
