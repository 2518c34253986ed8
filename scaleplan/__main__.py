"""`python -m scaleplan` and the `scaleplan` script."""

from __future__ import annotations

import gc
import os
import sys
import warnings

# New objects before cycles among them are looked for. A plan makes some 50,000, all of which live
# until the end: looking for cycles in them took 6% of its time (700 is the default).
_NEW_OBJECTS = 200_000


def main() -> None:
    """Run the command line and end the process with the exit code of errors.py."""
    gc.set_threshold(_NEW_OBJECTS)
    from scaleplan.cli.failure import TRACEBACK_VARIABLE, report_bug

    # Libraries warn in the programmer's words (of numbers that overflow, of a legend that takes
    # long), on the stream of the errors, which may be JSON. What is not finite is looked for where
    # it matters.
    if os.environ.get(TRACEBACK_VARIABLE) != "1":
        warnings.simplefilter("ignore")

    # Set before anything heavy is imported: Ctrl-C while importing is quiet too.
    sys.excepthook = report_bug
    from scaleplan.cli.app import run

    run()


if __name__ == "__main__":
    main()
