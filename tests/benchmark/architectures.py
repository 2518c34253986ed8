"""Parameters and FLOP of public architectures, counted and published; run as a script.

    python tests/benchmark/architectures.py

The published figures stand in tests/reference/test_architectures.py. Exit code: 0 if every count is
within 1% of its figure, 1 if one is not.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from scaleplan.planning.shape_text import read_shape
from scaleplan.planning.transformer import count_flops, count_params

_FILE = Path(__file__).resolve().parents[1] / "reference" / "test_architectures.py"
_TOLERATED = 0.01
_RATIO_DIGIT = 0.0055  # table A4 prints two digits


def figures() -> Iterator[tuple[str, str, float, float, float]]:
    """Yield model, what is counted, published and counted figure, and the tolerated difference."""
    spec = importlib.util.spec_from_file_location("published_architectures", _FILE)
    assert spec is not None
    assert spec.loader is not None
    known = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(known)
    for name, exact in {**known.EXACT, **{n: b * 1e9 for n, b in known.ROUNDED.items()}}.items():
        yield name, "parameters", exact, count_params(known.shape(name)).total, _TOLERATED
    for name, (_, flops) in known.GPT3.items():
        counted = count_flops(known.shape(name), 2048, "6nd").training * 300e9
        yield name, "training FLOP", flops, counted, _TOLERATED
    for millions, layers, width, heads, head, ratio in known.TABLE_A4:
        model = read_shape(
            f"L={layers},d={width},heads={heads},head_width={head},vocab=32000,tied=yes,act=gelu,"
            "positions=relative,norm=none",
            context=2048,
        )
        counted = count_flops(model, 2048, "chinchilla").over_6nd
        yield f"chinchilla-{millions}m", "FLOP over 6ND", ratio, counted, _RATIO_DIGIT
    for name, (params, gmacs) in known.IMAGES.items():
        model = known.image_model(name)
        yield name, "parameters", params, model.params, _TOLERATED
        yield name, "forward FLOP", gmacs * 2e9, model.forward_flops, _TOLERATED


def main() -> int:
    """Print the table."""
    print(f"{'model':18} {'what':14} {'published':>12} {'counted':>12} {'difference':>11}")
    missed = 0
    for name, what, published, counted, tolerated in figures():
        away = counted / published - 1.0
        missed += abs(away) > tolerated
        print(f"{name:18} {what:14} {published:12.5g} {counted:12.5g} {away:+11.3%}")
    print(f"{missed} beyond what is tolerated (1%; half a digit for ratios)")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
