"""What Flower prints at the end of a federated training: each metric with the value of every round.

`losses_distributed [(1, 2.31), (2, 1.97)]` and `metrics_distributed {'accuracy': [(1, 0.1), ...]}`,
in newer versions `History (loss, distributed):` with a line a round below it. What is centralized
was measured by the server, what is distributed by its clients, on what they keep from training.
"""

from __future__ import annotations

import re

from scaleplan.runs.formats.printed_parts import of_part

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|nan|inf)"
_HEADING = re.compile(
    r"\bHistory \((?P<what>loss|metrics), (?P<where>distributed|centralized)(?:, (?P<fit>fit)\b)?"
    r"|\b(?P<plural>losses|metrics|accuracies)_(?P<place>distributed|centralized)(?P<on>_fit)? "
)
_ROUND = re.compile(rf"\bround (?P<round>\d+): (?P<number>{_NUMBER})\s*$")
_NAME_OR_PAIR = re.compile(
    rf"'(?P<name>[^']{{1,80}})':\s*\[|\(\s*(?P<round>\d+),\s*(?P<number>{_NUMBER})\)"
)
_NAMES = {"loss": "loss", "losses": "loss", "accuracies": "accuracy"}


class Rounds:
    """The metrics of a federated training, round by round."""

    def __init__(self) -> None:
        self.begun = False
        self._values: dict[str, dict[int, str]] = {}
        self._name = ""
        self._where = self._split = ""

    def takes(self, text: str) -> bool:
        """Take a line if it is of the history, and tell whether it is.

        Args:
            text: The line.
        """
        heading = _HEADING.search(text)
        if heading is None and not self.begun:
            return False
        if heading is not None:
            self.begun = True
            self._name = _NAMES.get(heading["what"] or heading["plural"], "")
            self._where = heading["where"] or heading["place"]
            self._split = "train" if heading["fit"] or heading["on"] else "val"
        line = _ROUND.search(text)
        if line is not None:
            self._add(line)
            return True
        pairs = list(_NAME_OR_PAIR.finditer(text))
        for match in pairs:
            if match["name"] is not None:
                self._name = match["name"]
            else:
                self._add(match)
        return bool(pairs) or heading is not None

    def _add(self, match: re.Match[str]) -> None:
        name = of_part(self._name, self._split)
        if self._where == "distributed":
            name = f"{name} of clients"
        self._values.setdefault(name, {})[int(match["round"])] = match["number"]

    def rows(self) -> list[dict[str, str]]:
        """Return the rounds in their order; a metric that is 0 throughout was not measured."""
        measured = {n: v for n, v in self._values.items() if any(map(float, v.values()))}
        every = sorted({at for values in measured.values() for at in values})
        return [
            {"round": str(at), **{n: v[at] for n, v in measured.items() if at in v}} for at in every
        ]
