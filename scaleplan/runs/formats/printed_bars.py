"""Bars of progress as tqdm prints them: what they count is the step where nothing else says it."""

from __future__ import annotations

import re

from scaleplan.runs.formats.printed_lines import axis
from scaleplan.runs.metrics import describe

# ` 52/25880 [00:13<1:00:00,  1.00it/s`.
_BAR = re.compile(
    r"(?P<at>\d+)/(?P<of>\d+) \[\d+:\d\d(?::\d\d)?<[^,\]]{1,12},[^,\]]{1,16}(?:/s|s/\w{1,12})\b"
)
# Of so many epochs, which are counted from 1: `Epoch 1/9`.
_FROM_ONE = re.compile(r"\bepochs?[\s:]{0,3}[\[(]?\s*\d+\s*/\s*\d", re.IGNORECASE)


class Bars:
    """What the bars of a log count."""

    def __init__(self) -> None:
        self._of = self._before = self._last = 0

    def placed(self, text: str, row: dict[str, str], *, begun: bool) -> dict[str, str]:
        """Return the numbers of a line with the step, or the part of its epoch, of its bar.

        A bar that has counted nothing yet shows what was measured before: it says nothing.

        A bar that begins again, as in each epoch, goes on counting; one of another length, as that
        of an evaluation between, counts nothing.

        Args:
            text: The line.
            row: Its numbers.
            begun: Whether lines before it count steps otherwise.
        """
        match = _BAR.search(text)
        roles = {role: name for name in row if (role := axis(name)) is not None}
        if match is None or "step" in roles or "tokens" in roles:
            return row
        at, of = int(match["at"]), int(match["of"])
        if not at:
            return {}
        if "epoch" in roles:
            epoch = row[roles["epoch"]]
            if not epoch.isdigit() or at > of or not any(map(_of_training, row)):
                return row
            before = int(epoch) - (_FROM_ONE.search(text) is not None)
            return {**row, roles["epoch"]: repr(before + at / max(1, of))}
        if (begun and not self._of) or of != (self._of or of):
            return row
        self._of = of
        if at < self._last:
            self._before += of
        self._last = at
        return {"step": str(self._before + at), **row}


def _of_training(name: str) -> bool:
    found = describe(name)
    return found is not None and found.split in {"train", "plain"}
