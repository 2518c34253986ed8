"""scaleplan: plan a training run from the logs of smaller ones.

Importing the package costs nothing: the public names are loaded on first use.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

# Public name -> module that defines it.
_PUBLIC = {
    "read_runs": "scaleplan.api",
    "fit": "scaleplan.api",
    "load_fit": "scaleplan.api",
    "budget": "scaleplan.api",
    "check": "scaleplan.api",
    "backtest": "scaleplan.api.loop",
    "compare": "scaleplan.api.loop",
    "next_runs": "scaleplan.api.loop",
    "tune": "scaleplan.api.loop",
    "ScaleplanError": "scaleplan.errors",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 - the names are the dictionary's keys


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute can be anything
    """Load a public name from its module on first use."""
    if name not in _PUBLIC:
        message = f"module 'scaleplan' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
