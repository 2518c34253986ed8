"""Which column plays which role: as given, or by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scaleplan.errors import InputError
from scaleplan.records import ColumnUse, Note
from scaleplan.runs.asked_metric import named_metric
from scaleplan.runs.column_notes import joined_note, sparse_note
from scaleplan.runs.counters import counters, names_runs
from scaleplan.runs.doubts import without_embeddings
from scaleplan.runs.frame import Frame, column_of_files, with_metric
from scaleplan.runs.inputs import could_be_size, is_clock, may_be_input, no_size_note, taken_note
from scaleplan.runs.metric_choice import choice_notes, detection, of_whole_runs, rewarded
from scaleplan.runs.metrics import (
    KIND_WORDS,
    Candidate,
    describe,
    guessed_metric,
    same_metric,
    train_metric,
)
from scaleplan.runs.model_sizes import is_compute, model_size, model_size_note, settings_first
from scaleplan.runs.named_columns import find_column, unknown_column
from scaleplan.runs.named_sizes import called_samples, named_sizes, sizes_in_words
from scaleplan.runs.request import Request
from scaleplan.runs.roles import (
    INPUT_ROLES,
    NUMBER_ROLES,
    SIZE_NAMES,
    TEXT_ROLES,
    rank,
    role_named,
)
from scaleplan.runs.text import listed


@dataclass(slots=True, kw_only=True)
class Assignment:
    """Which columns play which roles.

    Args:
        metric: The metric's column.
        kind: The kind of metric that was asked for, if one was.
        numbers: Columns of each numeric role; several where files name it differently.
        labels: Columns of each role of text.
        extra: The other numeric columns.
        uses: The same for people.
        notes: What there is to say about it.
    """

    metric: Candidate
    kind: str | None
    numbers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    uses: list[ColumnUse] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def counts_samples(self) -> bool:
        """Tell whether `tokens` are images, interactions or other things that are no tokens."""
        return any(map(called_samples, self.numbers.get("tokens", ())))

    def taken(self) -> set[str]:
        """Return the columns that play a role."""
        groups = (*self.numbers.values(), *self.labels.values())
        return {name for group in groups for name in group}


def assign(frame: Frame, request: Request) -> Assignment:
    """Decide which column plays which role.

    Args:
        frame: The rows of all inputs.
        request: What was asked for.

    Returns:
        The roles, with how each was decided.

    Raises:
        UsageError: If a column that was named is not there.
        InputError: If no metric is found, or several are equally good.
    """
    names = list(frame.columns)
    given = _given(names, request)
    result = Assignment(metric=_metric(frame, request, given), kind=_kind(frame, request))
    same = same_metric(result.metric, names)
    same += [n for n in _found(request.also.get("value", ()), names) if n not in same]
    result.numbers["value"] = _one_a_file(frame, same)
    if len(result.numbers["value"]) > 1:
        result.notes.append(joined_note("the metric", result.numbers["value"]))
    frame = with_metric(frame, result.numbers["value"])
    result.uses.append(
        _use("value", result.numbers["value"], guessed=_metric_guessed(frame, request))
    )
    if result.uses[0].how == "guessed":
        result.notes.extend(choice_notes(result.metric, frame.columns))
    for role, columns in given.items():
        further = _ranked(frame, result, role) if role in request.also else ()
        _take(result, role, _apart(frame, (*columns, *further)), guessed=False)
    _guess_text(frame, result)
    _guess_numbers(frame, result)
    _guess_counters(frame, result)
    _total_params(result)
    if request.input_column is None and not request.also.get("input"):
        for role, column, note in named_sizes(frame, result.numbers, result.taken()):
            _take(result, role, (column,))
            result.notes.append(note)
        _size_of_models(frame, result)
    free = [n for n in names if n not in result.taken()]
    summed = of_whole_runs(free)
    train = train_metric(result.metric, [n for n in free if n not in summed])
    if train is not None and "train_value" not in result.numbers:
        _take(result, "train_value", (train,))
    _single_input(frame, request, result)
    clocks = {n for n, c in frame.columns.items() if c.is_text and is_clock(n)}
    result.extra = tuple(n for n in names if n not in result.taken() | clocks)
    return result


def _given(names: Sequence[str], request: Request) -> dict[str, tuple[str, ...]]:
    """Return the columns of each role that was given, the ones for all files first."""
    given: dict[str, tuple[str, ...]] = {}
    for role, wanted in request.roles.items():
        column = find_column(wanted, names)
        if column is None:
            raise unknown_column(role, wanted, names, "--columns")
        given[role] = (column,)
    for role, also in request.also.items():
        if role not in {"value", "input"} and (found := _found(also, names)):
            given[role] = (*given.get(role, ()), *found)
    return given


def _found(wanted: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return those columns that there are."""
    found = [find_column(name, names) for name in wanted]
    return [name for name in found if name is not None]


def _metric(frame: Frame, request: Request, given: Mapping[str, tuple[str, ...]]) -> Candidate:
    names = list(frame.columns)
    if request.metric is not None and not _is_kind(frame, request.metric):
        return named_metric(request.metric, names)
    kind = request.metric
    taken = {name for columns in given.values() for name in columns}
    free = [n for n in names if n not in taken]
    numeric = [n for n in free if not frame.columns[n].is_text]
    if any(describe(n) is not None for n in numeric):
        free = numeric
    summed = of_whole_runs(free)
    free = [n for n in free if n not in summed]
    filled = [n for n in free if not frame.columns[n].blank.all()]
    if any(describe(n) is not None for n in filled):
        free = filled  # LLaMA-Factory writes null for what it does not measure
    agent = rewarded(free) if kind is None else None
    if agent is not None:
        return agent
    try:
        return guessed_metric(free, frame.present, kind)
    except InputError:
        judged = detection(free) if kind is None else None
        if judged is None:
            raise
        return judged


def _is_kind(frame: Frame, name: str) -> bool:
    return name in KIND_WORDS and name not in frame.columns


def _kind(frame: Frame, request: Request) -> str | None:
    if request.metric is not None and _is_kind(frame, request.metric):
        return request.metric
    return request.kind


def _metric_guessed(frame: Frame, request: Request) -> bool:
    return request.metric is None or _is_kind(frame, request.metric)


def _use(role: str, columns: Iterable[str], *, guessed: bool) -> ColumnUse:
    return ColumnUse(role=role, column=", ".join(columns), how="guessed" if guessed else "given")


def _take(result: Assignment, role: str, columns: tuple[str, ...], *, guessed: bool = True) -> None:
    (result.labels if role in TEXT_ROLES else result.numbers)[role] = columns
    result.uses.append(_use(role, columns, guessed=guessed))
    if len(columns) > 1:
        result.notes.append(joined_note(role, columns))


def _ranked(frame: Frame, result: Assignment, role: str) -> list[str]:
    """Return the columns that may play a role, best first."""
    taken = result.taken()
    ranks = [(rank(role, n), i, n) for i, n in enumerate(frame.columns) if n not in taken]
    return [n for r, _, n in sorted((r, i, n) for r, i, n in ranks if r is not None)]


def _one_a_file(frame: Frame, ranked: Sequence[str]) -> tuple[str, ...]:
    """Keep the columns, best first, that count in some file."""
    counting = set(column_of_files(frame, ranked))
    return tuple(name for name in ranked if name in counting)


def _apart(frame: Frame, names: Iterable[str]) -> tuple[str, ...]:
    """Keep the columns that no file has beside one before them."""
    kept: list[str] = []
    for name in names:
        if not any(frame.present[name] & frame.present[other] for other in kept):
            kept.append(name)
    return tuple(kept)


def _guess_text(frame: Frame, result: Assignment) -> None:
    """Find the roles of text; other text, but for times, is a label under its own name."""
    for role in TEXT_ROLES:
        ranked = _ranked(frame, result, role)
        if role == "run":
            ranked = [n for n in ranked if names_runs(frame, n)]
        chosen = _one_a_file(frame, ranked)
        if role not in result.labels and chosen:
            _take(result, role, chosen)
    for name, column in frame.columns.items():
        known = any(rank(role, name) is not None for role in NUMBER_ROLES)
        known &= not sizes_in_words(frame, name)
        if name not in result.taken() and column.is_text and not known and not is_clock(name):
            result.labels[name] = (name,)


def _guess_numbers(frame: Frame, result: Assignment) -> None:
    for role in NUMBER_ROLES:
        if role in result.numbers:
            continue
        ranked = [n for n in _ranked(frame, result, role) if not sizes_in_words(frame, n)]
        ranked = [n for n in ranked if not frame.columns[n].blank.all()]
        if role == "flops":
            ranked = [n for n in ranked if is_compute(frame, n)]
        if role == "tokens":
            ranked, told = settings_first(frame, ranked, result.numbers.get("params", ()))
            result.notes.extend(told)
        chosen = _one_a_file(frame, ranked)
        if chosen:
            _take(result, role, chosen)
        if chosen and ranked[0] not in chosen:
            result.notes.append(sparse_note(role, ranked[0], chosen))


def _guess_counters(frame: Frame, result: Assignment) -> None:
    """Find columns whose numbers, not their names alone, say that they count epochs or steps."""
    for role in ("epoch", "step"):
        others = {r: c for r, c in result.numbers.items() if r != "epochs"} | result.labels
        named = result.numbers.get(role, ())
        counted = named if role == "step" else (*named, *result.numbers.get("step", ()))
        found = counters(frame, role, counted, others)
        if not found or any(use.role == role and use.how == "given" for use in result.uses):
            continue
        result.uses = [use for use in result.uses if use.role != role]
        if set(found) & set(result.numbers.get("epochs", ())):
            del result.numbers["epochs"]
            result.uses = [use for use in result.uses if use.role != "epochs"]
        _take(result, role, _one_a_file(frame, (*named, *found)))


def _total_params(result: Assignment) -> None:
    """Find what counts as params where no column has that name, and say so."""
    roles = result.numbers
    if "params" in roles or {"embedding_params", "dense_params"} <= set(roles):
        return
    if "non_embedding_params" in roles:
        columns = roles["non_embedding_params"]
        _take(result, "params", columns)
        result.notes.append(without_embeddings(listed(columns)))


def _size_of_models(frame: Frame, result: Assignment) -> None:
    """Take a column called size as params where tokens or FLOP stand beside it, and say so."""
    roles = result.numbers
    counted = {"params", "active_params", "embedding_params", "dense_params", "input"} & set(roles)
    if counted or not {"tokens", "flops"} & set(roles):
        return
    free = [n for n in frame.columns if n not in result.taken()]
    found = model_size(frame, free, roles.get("tokens", ()))
    if found is not None:
        _take(result, "params", (found,))
        result.notes.append(model_size_note(found))


def _single_input(frame: Frame, request: Request, result: Assignment) -> None:
    """Find the single input: the column that was named, or the only size there is."""
    names = list(frame.columns)
    if request.input_column is not None:
        column = find_column(request.input_column, names)
        if column is None:
            role = role_named(request.input_column)
            if role is None or role not in result.numbers:
                raise unknown_column("input", request.input_column, names, "--input")
            result.numbers["input"] = result.numbers[role]
        else:
            result.numbers["input"] = (column,)
        result.uses.append(_use("input", result.numbers["input"], guessed=False))
        return
    also = _apart(frame, _found(request.also.get("input", ()), names))
    if also:
        _take(result, "input", also, guessed=False)
        return
    if set(INPUT_ROLES) & set(result.numbers) or "dense_params" in result.numbers:
        return
    pool = [n for n in names if n not in result.taken() and may_be_input(frame, n)]
    sizes = [n for n in SIZE_NAMES if n in pool]
    if sizes:
        _take(result, "input", (sizes[0],))
    elif len(pool) == 1 and could_be_size(pool[0]):
        _take(result, "input", (pool[0],))
        result.notes.append(taken_note(pool[0]))
    else:
        result.notes.append(no_size_note(list(filter(could_be_size, pool))))
