"""`python -m scaleplan` and the `scaleplan` script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with the exit code of errors.py."""
    from scaleplan.cli.failure import report_bug

    # Set before anything heavy is imported: Ctrl-C while importing is quiet too.
    sys.excepthook = report_bug
    from scaleplan.cli.app import run

    run()


if __name__ == "__main__":
    main()
