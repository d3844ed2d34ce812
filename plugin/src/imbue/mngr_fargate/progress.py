"""Shows the steps of a create through mngr: as log lines, and as its progress events from 0.3.0 on."""

from typing import TYPE_CHECKING, Any

from loguru import logger

from imbue.mngr_fargate.contract import CreateProgress
from imbue.mngr_fargate.printable import printable

if TYPE_CHECKING:
    from imbue.mngr.config.data_types import MngrContext


class CreateReporter:
    """Each step ends where the next begins; a failed create leaves its last one open, as mngr wants it."""

    def __init__(self, host_name: str, mngr_ctx: "MngrContext") -> None:
        self._host_name = host_name
        self._reporter: Any = getattr(mngr_ctx, "progress_reporter", None)
        self._step: str | None = None
        self._text = ""

    def update(self, progress: CreateProgress) -> None:
        text = printable(progress.text)
        if text != self._text:
            self._text = text
            logger.info("{}: {}", self._host_name, text)
        if progress.step == self._step:
            return
        self.finish()
        self._step = progress.step
        if self._reporter is not None:
            from imbue.mngr.primitives import CreatePhase  # noqa: PLC0415

            phase = CreatePhase.CREATING_HOST.step_id
            self._reporter.start_step(self._step_id(progress.step), text, phase, None)

    def finish(self) -> None:
        """The last step is done."""
        if self._reporter is not None and self._step is not None:
            self._reporter.complete_step(self._step_id(self._step))
        self._step = None

    @staticmethod
    def _step_id(step: str) -> Any:
        from imbue.mngr.primitives import ProgressStepId  # noqa: PLC0415

        # mngr wants dotted words: letters, digits and underscores.
        return ProgressStepId(f"fargate.{step.replace('-', '_')}")
