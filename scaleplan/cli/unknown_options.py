"""What to say to an option that a command does not have: how it is called here, or who has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

WRITE_AS = "Write it as"
# What people type for options of other names, and how to write them here.
_MEANT = {
    **dict.fromkeys(("--hours", "--time", "--deadline", "--until", "--wall-time"), "--days 36h"),
    **dict.fromkeys(
        ("--dollars", "--usd", "--cost", "--money", "--max-cost", "--budget"), "--max-usd 50k"
    ),
    **dict.fromkeys(("--num-gpus", "--ngpus", "--n-gpus", "--devices", "--nodes"), "--gpus 64"),
    **dict.fromkeys(("--hardware", "--accelerator", "--device", "--gpu-type"), "--gpu h100"),
    **dict.fromkeys(("--size", "--model-size", "--parameters", "--n-params"), "--params 7B"),
    **dict.fromkeys(("--model", "--model-name", "--arch", "--architecture"), "--shape llama3-8b"),
    **dict.fromkeys(("--data", "--dataset-size", "--n-tokens"), "--tokens 140B"),
    **dict.fromkeys(("--compute", "--flop"), "--flops 1e22"),
    **dict.fromkeys(("--batch-size", "--global-batch"), "--batch 4M"),
    **dict.fromkeys(
        ("--context", "--context-length", "--seq-len", "--seq-length"), "--sequence-length 4096"
    ),
    **dict.fromkeys(("--spot", "--gpu-price", "--price-per-hour"), "--price 2.5"),
    **dict.fromkeys(("--loss", "--target-metric"), "--target-loss 2.0"),
    **dict.fromkeys(("--tp", "--pp", "--dp", "--tensor-parallel"), "--layout tp=8,pp=4"),
    **dict.fromkeys(("--optim", "--optimiser"), "--optimizer adamw"),
    **dict.fromkeys(("--json", "--output-format"), "--format json"),
    **dict.fromkeys(("--out", "--save"), "--output FILE"),
}


# typer names the types of contexts and errors in private modules only, hence Any here.
def unknown_option_hint(
    option: str,
    context: Any,  # noqa: ANN401 - see above
    commands: Callable[[], Mapping[str, Any]],
) -> str | None:
    """Return what was probably meant by an option, None if nothing is known of it.

    Args:
        option: What was typed, without its value.
        context: The command that was to read it.
        commands: Returns all commands by name; describing them takes time.
    """
    own = _options(context.command)
    meant = _MEANT.get(option)
    if meant is not None and meant.split()[0] in own:
        return f"{WRITE_AS} {meant}; see `{context.command_path} --help`."
    wanted = {option, *([] if meant is None else [meant.split()[0]])}
    having = [name for name, command in commands().items() if wanted & _options(command)]
    if not having:
        return None
    named = " and ".join([", ".join(having[:-1]), having[-1]] if having[1:] else having)
    return f"It is an option of {named}; `{context.command_path} --help` shows those here."


def _options(command: Any) -> set[str]:  # noqa: ANN401 - see above
    found: set[str] = set()
    for parameter in command.params:
        found.update(text for text in parameter.opts if text.startswith("--"))
    return found
