"""What mngr shows of text that came from a host or from AWS."""

import pytest

from imbue.mngr_fargate.cli import CliError
from imbue.mngr_fargate.printable import printable


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2028])
def test_nothing_that_a_terminal_acts_on_stays(code: int) -> None:
    assert printable(f"a{chr(code)}b").isprintable()


def test_ordinary_text_stays_as_it_is() -> None:
    assert printable("Grüße, 你好 \\ 'quoted'") == "Grüße, 你好 \\ 'quoted'"


def test_errors_are_safe_to_show() -> None:
    error = CliError("failed", "said \x1b]52;c;cm0=\x07", "try\x9b31m again")
    assert str(error) == r"said \x1b]52;c;cm0=\x07 (try\x9b31m again)"
