"""One row of a plan for each accelerator and count: time, memory, money and energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scaleplan.catalog import planning_default
from scaleplan.errors import UsageError
from scaleplan.planning.attention import attention_excess, attention_growth
from scaleplan.planning.compute import accelerator_hours
from scaleplan.planning.context import context_assumptions
from scaleplan.planning.cost import carbon_tonnes, cost_assumptions, energy_kwh, prices
from scaleplan.planning.goodput import (
    checkpoint_interval_hours,
    goodput_assumptions,
    mean_hours_between_failures,
)
from scaleplan.planning.layouts import (
    largest_cluster,
    layout_assumptions,
    most_accelerators,
    node_size,
)
from scaleplan.planning.low_precision import FP8, check_fp8, fp8_assumptions, fp8_speed
from scaleplan.planning.memory import memory_assumptions, memory_model
from scaleplan.planning.plan_checks import (
    MOST_GPUS,
    check_amounts,
    check_cluster,
    check_counts,
    check_options,
    check_setup,
)
from scaleplan.planning.planned_run import PlannedRun
from scaleplan.planning.shape import Shape, guess_shape, shape_assumptions
from scaleplan.planning.speed import REALISED, Work, run_speed
from scaleplan.planning.states import state_assumptions
from scaleplan.planning.storage import (
    host_cores,
    host_gib,
    loader_mb_s,
    storage_assumptions,
    storage_of,
)
from scaleplan.planning.throughput import (
    choose_batch,
    sharded_assumptions,
    split_assumptions,
    throughput_assumptions,
    useful_accelerators,
)
from scaleplan.planning.utilisation import routed
from scaleplan.records import Accelerator, Assumption, PlanRow, Storage, TrainingSetup

_HOURS_PER_DAY = 24.0
_SECONDS_PER_HOUR = 3600.0
_STEPS_AROUND = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)


def plan_rows(
    *,
    params: float,
    active_params: float,
    tokens: float,
    flops: float,
    accelerators: Sequence[Accelerator],
    gpus: Sequence[int],
    mfu: float | None,
    usd_per_hour: float | None,
    batch_tokens: float | None,
    sequence_length: int,
    country: str | None,
    pue: float | None,
    mfu_gpus: int | None = None,
    setup: TrainingSetup | None = None,
    shape: Shape | None = None,
    over_6nd: float = 1.0,
    by_examples: bool = False,
    vision: bool = False,
) -> tuple[tuple[PlanRow, ...], tuple[Assumption, ...]]:
    """Plan a training run on each accelerator and each number of them.

    Without `mfu` the time is that of whole published runs, failures included, and the band holds
    80% of them. With `mfu`, a steady-state value measured on `mfu_gpus` accelerators, other counts
    follow E(g) / E(mfu_gpus), and failures and checkpoints are taken off on top.

    Args:
        params: Parameters of the model, all of them.
        active_params: Parameters per token; fewer than `params` for a mixture of experts.
        tokens: Training tokens.
        flops: Training compute, FLOP.
        accelerators: Parts to plan with; one row each for every count.
        gpus: Numbers of accelerators.
        mfu: The user's steady-state model-FLOP utilisation, above 0 and at most 1.
        usd_per_hour: The user's price of an accelerator-hour.
        batch_tokens: The user's global batch in tokens.
        sequence_length: Tokens per sequence.
        country: Where the power comes from: three-letter code or name.
        pue: Power usage effectiveness of the data centre, at least 1.
        mfu_gpus: On how many accelerators `mfu` was measured; None is the first of `gpus`.
        setup: Optimiser, precision, layout, failures and storage; None takes the defaults.
        shape: The transformer, for memory and attention; None assumes one of `active_params`.
        over_6nd: `flops` over 6ND where they are counted in another way, which does not change how
            long they take.
        by_examples: Whether `flops` are those of examples, with attention counted, and not of
            tokens.
        vision: Whether it is a vision transformer.

    Returns:
        The rows, counts within accelerators, and every number they rest on.

    Raises:
        UsageError: If a value is not allowed.
        PlanError: If there are more accelerators than a step has work for.
    """
    setup = setup or TrainingSetup()
    check_amounts(
        {"params": params, "active params": active_params, "tokens": tokens, "flops": flops}
    )
    check_options(
        mfu=mfu, usd_per_hour=usd_per_hour, batch_tokens=batch_tokens, pue=pue, country=country,
        sequence_length=sequence_length,
    )  # fmt: skip
    check_setup(setup)
    if setup.precision == FP8:
        check_fp8(accelerators)
    counts = check_counts(gpus)
    asked = counts if mfu_gpus is None else check_counts([mfu_gpus])
    if active_params > params:
        message = f"{active_params:g} active parameters are more than all {params:g}"
        raise UsageError(message, hint="Active parameters are those one token passes through.")
    batch = choose_batch(tokens, sequence_length=sequence_length, asked=batch_tokens)
    shape = shape or guess_shape(active_params)
    model = memory_model(
        params, active_params=active_params, shape=shape, batch_tokens=batch,
        sequence_length=sequence_length, setup=setup,
    )  # fmt: skip
    check_cluster(model, setup, asked)

    def written(setup: TrainingSetup) -> float:
        stored = storage_of(params, tokens=tokens, vocabulary=shape.vocabulary, setup=setup)
        return stored.write_seconds

    growth, excess = (1.0, 1.0) if by_examples else (
        of(shape, active_params=active_params, sequence_length=sequence_length)
        for of in (attention_growth, attention_excess)
    )  # fmt: skip
    work = Work(
        faster=None if setup.precision != FP8 else fp8_speed(
            shape, active_params=active_params, sequence_length=sequence_length,
            moe=routed(active_params, params),
        ),
        flops=flops / over_6nd * growth, counted=over_6nd / growth, excess=excess,
        active_params=active_params, model=model, moe=routed(active_params, params),
        batch_tokens=batch, mfu=mfu, mfu_gpus=asked[0], setup=setup, vision=vision,
        token_flops=flops / over_6nd * growth / tokens,
        write_seconds=written(setup), usual_write_seconds=written(replace(setup, storage_gbs=None)),
    )  # fmt: skip
    run = PlannedRun(
        params=params, active_params=active_params, tokens=tokens, flops=flops,
        batch_tokens=batch, sequence_length=sequence_length, shape=shape, model=model,
        setup=setup, usd_per_hour=usd_per_hour, country=country,
        pue=pue, work=work,
    )  # fmt: skip
    rows = tuple(_row(run, part, count) for part in accelerators for count in counts)
    return rows, _assumptions(
        run, tuple(accelerators), batch_given=batch_tokens is not None,
        rows=rows, most=max(counts), by_examples=by_examples,
    )  # fmt: skip


def by_cost(rows: Sequence[PlanRow]) -> tuple[PlanRow, ...]:
    """Return rows that fit first, of those the cheapest, then those without a price by time.

    Args:
        rows: Rows of a plan.
    """

    def order(row: PlanRow) -> tuple[bool, bool, float]:
        return not row.fits, row.usd is None, row.days if row.usd is None else row.usd

    return tuple(sorted(rows, key=order))


def plan_storage(
    params: float, *, active_params: float, tokens: float, setup: TrainingSetup | None = None,
    shape: Shape | None = None,
) -> Storage:  # fmt: skip
    """Return the checkpoints and data of a training run.

    Args:
        params: Parameters of the model, all of them.
        active_params: Parameters per token.
        tokens: Training tokens.
        setup: Optimiser, precision and storage; None takes the defaults.
        shape: The transformer, for its vocabulary; None assumes one of `active_params`.
    """
    shape = shape or guess_shape(active_params)
    return storage_of(
        params, tokens=tokens, vocabulary=shape.vocabulary, setup=setup or TrainingSetup()
    )


def gpu_counts_around(count: int) -> tuple[int, ...]:
    """Return counts from an eighth to four times the one asked for, whole nodes above one node.

    Args:
        count: The count asked for; it is always among them.

    Raises:
        UsageError: If it is no count of accelerators.
    """
    (asked,) = check_counts([count])
    node = int(planning_default("node_size").value)
    found = {asked}
    for step in _STEPS_AROUND:
        near = asked * step
        whole = round(near / node) * node if near > node else round(near)
        if 1 <= whole <= MOST_GPUS:
            found.add(whole)
    return tuple(sorted(found))


def _row(run: PlannedRun, accelerator: Accelerator, gpus: int) -> PlanRow:
    memory = run.layout(accelerator, gpus)
    speed = run_speed(
        run.work,
        accelerator,
        memory.layout,
        gpus=gpus,
        measured=1.0 if run.work.mfu is None else run.measured(accelerator),
    )
    hours = accelerator_hours(run.flops, peak_tflops=accelerator.peak_tflops, utilisation=speed.mfu)
    ideal = accelerator_hours(run.flops, peak_tflops=accelerator.peak_tflops, utilisation=1.0)
    price = prices(accelerator, run.usd_per_hour)
    energy = energy_kwh(accelerator, hours, pue=run.pue)
    days = hours / gpus / _HOURS_PER_DAY
    rate = run.tokens / (hours / gpus * _SECONDS_PER_HOUR)
    used = min(gpus, memory.layout.accelerators)
    failures = mean_hours_between_failures(used, failure_gpu_hours=run.setup.failure_gpu_hours)
    return PlanRow(
        gpus=gpus, gpu=accelerator.id, mfu=speed.mfu, efficiency=speed.efficiency,
        ideal_days=ideal / gpus / _HOURS_PER_DAY,
        days_low=days * speed.low, days=days, days_high=days * speed.high, gpu_hours=hours,
        usd=None if price.expected is None else hours * price.expected,
        usd_low=None if price.low is None else hours * speed.low * price.low,
        usd_high=None if price.high is None else hours * speed.high * price.high,
        energy_kwh=energy,
        tco2=None if energy is None else carbon_tonnes(energy, country=run.country),
        memory_gib_per_gpu=memory.gib, fits=memory.fits,
        layout=memory.layout.write(gpus, micro_batch=run.model.micro_batch),
        batch_tokens=run.batch_tokens, used_gpus=used,
        layout_reason=memory.reason, usable_gib=memory.usable_gib,
        states_gib=memory.parts.states, activations_gib=memory.parts.activations,
        micro_batches=run.model.micro_batches(memory.layout), stages=memory.layout.pipeline,
        filled_share=run.filled(memory.layout), links_share=speed.links,
        recompute_share=speed.recomputed, context=memory.layout.context,
        context_share=speed.context,
        needs_gpus=memory.layout.accelerators if memory.layout.accelerators > gpus else None,
        useful_gpus=useful_accelerators(run.batch_tokens, step_tokens=speed.step_tokens),
        most_gpus=most_accelerators(run.model, memory.layout),
        busy_gpus=largest_cluster(run.model, run.setup), sharded=speed.step_tokens is not None,
        fitting_gpus=None if memory.fits else run.smallest(accelerator),
        failure_hours=failures,
        checkpoint_hours=checkpoint_interval_hours(
            failures, checkpoint_seconds=run.setup.checkpoint_seconds,
            write_seconds=run.work.write_seconds,
        ),
        goodput=speed.goodput, failure_share=speed.failures, tokens_per_second=rate,
        loader_mb_s=loader_mb_s(rate, vocabulary=run.shape.vocabulary),
        host_cores=host_cores(gpus, run.setup), host_gib=host_gib(gpus, accelerator.memory_gib),
    )  # fmt: skip


def _assumptions(
    run: PlannedRun,
    accelerators: tuple[Accelerator, ...],
    *,
    batch_given: bool,
    rows: Sequence[PlanRow],
    most: int,
    by_examples: bool,
) -> tuple[Assumption, ...]:
    batch = Assumption(
        name="global batch", value=run.batch_tokens, unit="tokens",
        source="given" if batch_given else "largest batch with at most 20% overhead",
    )  # fmt: skip
    measured: tuple[Assumption, ...] = ()
    if run.work.mfu is not None:
        steady = Assumption(
            name=f"steady MFU on {run.work.mfu_gpus} accelerators", value=run.work.mfu,
            unit="share of dense peak", source="given",
        )  # fmt: skip
        band = (planning_default(name).assumption() for name in REALISED)
        measured = (steady, *band)
    throughput = throughput_assumptions(
        accelerators, active_params=run.active_params, moe=run.work.moe, batch_given=batch_given,
        measured=run.work.mfu is not None, most_nodes=most / node_size(run.setup),
        vision=run.work.vision, sequence_length=None if by_examples else run.sequence_length,
    )  # fmt: skip
    cost = cost_assumptions(
        accelerators, usd_per_hour=run.usd_per_hour, pue=run.pue, country=run.country
    )
    return tuple(dict.fromkeys((
        batch, *measured, *throughput,
        *(sharded_assumptions(accelerators) if any(row.sharded for row in rows) else ()),
        *split_assumptions(rows), *context_assumptions(rows),
        *(fp8_assumptions(
            moe=run.work.moe, measured=run.work.mfu is not None
        ) if run.work.faster is not None else ()),
        *goodput_assumptions(run.setup, write_seconds=run.work.write_seconds),
        *state_assumptions(run.setup),
        *memory_assumptions(run.model, run.setup), *layout_assumptions(run.setup, run.shape),
        *shape_assumptions(run.shape, sequence_length=run.sequence_length),
        *storage_assumptions(run.shape.vocabulary, run.setup), *cost,
    )))  # fmt: skip
