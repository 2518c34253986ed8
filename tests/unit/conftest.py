"""Make shared test records importable by name."""

from __future__ import annotations

import sys
from pathlib import Path

for _folder in (Path(__file__).parent, Path(__file__).parent / "fitting"):
    sys.path.insert(0, str(_folder))
