"""`python -m scaleplan` and the `scaleplan` script."""

from __future__ import annotations

import gc
import sys

# New objects before cycles among them are looked for. A plan makes some 50,000, all of which live
# until the end: looking for cycles in them took 6% of its time (700 is the default).
_NEW_OBJECTS = 200_000


def main() -> None:
    """Run the command line and end the process with the exit code of errors.py."""
    gc.set_threshold(_NEW_OBJECTS)
    from scaleplan.cli.failure import report_bug

    # Set before anything heavy is imported: Ctrl-C while importing is quiet too.
    sys.excepthook = report_bug
    from scaleplan.cli.app import run

    run()


if __name__ == "__main__":
    main()
