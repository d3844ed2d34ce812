"""Makes text from elsewhere safe to show on a terminal."""

import re
from typing import Final

# Control characters (C0, DEL, C1), and what reorders or breaks lines of text. lib/util/printable.ts has the same ones.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text on one line, with what a terminal would act on written as an escape."""
    return _UNPRINTABLE.sub(lambda match: match.group().encode("unicode-escape").decode("ascii"), text)
