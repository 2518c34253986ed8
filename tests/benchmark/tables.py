"""Run the benchmarks that README shows, and write what they print into it.

    python tests/benchmark/tables.py [NAME...]

README names each one in a comment above its block, with its arguments:

    <!-- benchmark: published_times.py -->

Without names all of them run, one after the other; on two cores that takes most of an hour. A
benchmark that ends with an error leaves its block as it was, and this script ends with 1.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
BLOCK = re.compile(
    r"(<!-- benchmark: (?P<command>[^>]+?) -->\n+```text\n)(?P<shown>.*?)(```)", re.DOTALL
)


def measured(command: str) -> str | None:
    """Return what a benchmark prints, None if it ended with an error."""
    script, *arguments = shlex.split(command)
    print(f"{command} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        stdout=subprocess.PIPE, encoding="utf-8", check=False, cwd=README.parent,
    )  # fmt: skip
    if done.returncode:
        print(f"{command} ended with {done.returncode}", file=sys.stderr)
        print(done.stdout, file=sys.stderr)
        return None
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines()) + "\n"


def main(names: list[str]) -> int:
    """Rewrite the blocks of these benchmarks, or of all; return the exit code."""
    failed = 0
    commands = [m["command"] for m in BLOCK.finditer(README.read_text(encoding="utf-8"))]
    for command in commands:
        if names and Path(command.split()[0]).stem not in {Path(name).stem for name in names}:
            continue
        shown = measured(command)
        if shown is None:
            failed += 1
            continue
        # Read again: another benchmark may have been rewritten, or a person may be writing.
        text = README.read_text(encoding="utf-8")
        kept = [
            (m[1] + shown + m[4]) if m["command"] == command else m[0]
            for m in BLOCK.finditer(text)
        ]  # fmt: skip
        pieces = iter(kept)
        README.write_text(BLOCK.sub(lambda _, p=pieces: next(p), text), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
