"""How much data runs were trained on, where the log says only how much different data there was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.records import Assumption, ColumnUse, Note
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.raw import numeric_column
from scaleplan.runs.text import fold, split_unit

# Names, folded, of tokens for each parameter.
_RATIOS = frozenset(
    {"tokenmultiplier", "tokensperparam", "tokensperparameter", "tokenparamratio",
     "tokensparamsratio", "tokentoparamratio", "tokenstoparamsratio", "tokensparamratio",
     "paramdataratio", "targetparamdataratio", "dataparamratio", "tpp", "dn", "dovern",
     "dtonratio", "dnratio"}
)  # fmt: skip


def tokens_of_data_sets(
    rows: Gathered,
) -> tuple[Gathered, ColumnUse | None, Assumption | None, Note | None]:
    """Take tokens from the size of the data set, times the epochs where they are logged.

    Kaplan et al. 2020 and others give the size of the data set that each run was trained on until
    it stopped; a law of it and of params is what such a log is for.

    Args:
        rows: Cleaned rows.

    Returns:
        The rows; how the column was made, on what assumption, and what there is to say, or None
        where nothing was.
    """
    roles = rows.roles
    if "tokens" in roles or "unique_tokens" not in roles or {"flops", "params"} <= set(roles):
        return rows, None, None, None
    if any(role in roles and _varies(rows, role) for role in ("step", "epoch")):
        return rows, None, None, None  # how far a run came is no size of its data
    name = rows.names["unique_tokens"]
    sizes = roles["unique_tokens"]
    formula = name
    if "epochs" in roles:
        formula = f"{name} x {rows.names['epochs']}"
        sizes = numeric_column(sizes.numbers * roles["epochs"].numbers)
    made = replace(
        rows, roles={**roles, "tokens": sizes}, names={**rows.names, "tokens": formula}
    )  # fmt: skip
    use = ColumnUse(role="tokens", column=formula, how="derived")
    return (
        made,
        use,
        Assumption(name="tokens", value=formula),
        (None if "epochs" in roles else _note(name)),
    )


def tokens_of_ratios(
    rows: Gathered,
) -> tuple[Gathered, ColumnUse | None, Assumption | None]:
    """Take tokens from params and how many there were for each of them.

    Gadre et al. 2024 and nanochat log a token multiplier beside the parameters.

    Args:
        rows: Cleaned rows.

    Returns:
        The rows; how the column was made and on what assumption, or None where it was not.
    """
    roles = rows.roles
    found = [name for name in rows.extra if fold(split_unit(name)[0]) in _RATIOS]
    if "params" not in roles or {"tokens", "flops"} & set(roles) or len(found) != 1:
        return rows, None, None
    if any(role in roles and _varies(rows, role) for role in ("step", "epoch")):
        return rows, None, None  # a ratio that was planned
    numbers = roles["params"].numbers * rows.extra[found[0]].numbers
    formula = f"{rows.names['params']} x {found[0]}"
    made = replace(
        rows, roles={**roles, "tokens": numeric_column(np.where(numbers > 0.0, numbers, np.nan))},
        names={**rows.names, "tokens": formula},
        extra={name: column for name, column in rows.extra.items() if name != found[0]},
    )  # fmt: skip
    use = ColumnUse(role="tokens", column=formula, how="derived")
    return made, use, Assumption(name="tokens", value=formula)


def _varies(rows: Gathered, role: str) -> bool:
    numbers = rows.roles[role].numbers
    known = numbers[np.isfinite(numbers)]
    return bool(known.size) and float(np.ptp(known)) > 0.0


def _note(name: str) -> Note:
    return Note(
        id="DATA_SEEN_UNKNOWN", severity="warning",
        text=f"The log says how much data there was ({name}), not how much of it each run saw: a "
        "law of tokens is one of the size of the data set.",
        action="Log the tokens that were trained on, or the epochs. Compute of runs that saw their "
        "data more than once is more than 6 x params x tokens.",
    )  # fmt: skip
