"""Pieces of files as files of their own, so that an engine reads one file by several threads.

DuckDB numbers rows by one thread for each file that it reads; a piece that starts with a line lets
every thread number its own.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from scaleplan.runs.large.text_files import Piece

PROTOCOL = "scaleplan"


class _Bytes(io.RawIOBase):
    """A piece of a file, which can be read and sought like a whole one."""

    def __init__(self, piece: Piece) -> None:
        super().__init__()
        self._piece = piece
        self._stream = piece.path.open("rb", buffering=0)
        self._stream.seek(piece.start)

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: its places are known."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, none at the end of the piece."""
        left = self._piece.end - self._stream.tell()
        return self._stream.read(left if size is None or size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, counted from the start of the piece."""
        origin = {
            io.SEEK_SET: self._piece.start, io.SEEK_CUR: self._stream.tell(),
            io.SEEK_END: self._piece.end,
        }  # fmt: skip
        return self._stream.seek(origin[whence] + offset) - self._piece.start

    def tell(self) -> int:
        """Return the place, counted from the start of the piece."""
        return self._stream.tell() - self._piece.start

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()


def file_system(pieces: Sequence[Piece]) -> Any:  # noqa: ANN401 - fsspec has no types
    """Return a file system whose files are `scaleplan://0`, `scaleplan://1` and so on.

    Args:
        pieces: What the files hold.

    Raises:
        ImportError: If fsspec is not installed.
    """
    from fsspec import AbstractFileSystem

    class Pieces(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
        """The pieces by their numbers."""

        protocol = PROTOCOL
        cachable = False

        def _open(self, path: str, mode: str = "rb", **_: object) -> _Bytes:
            return _Bytes(piece_of(pieces, path))

        def info(self, path: str, **_: object) -> dict[str, object]:
            piece = piece_of(pieces, path)
            return {"name": path, "size": piece.end - piece.start, "type": "file"}

        def exists(self, path: str, **_: object) -> bool:
            return piece_of(pieces, path) is not None

        def glob(self, path: str, **_: object) -> list[str]:
            return [path]

        def modified(self, path: str) -> Any:  # noqa: ANN401 - a date
            from datetime import UTC, datetime

            return datetime.fromtimestamp(piece_of(pieces, path).path.stat().st_mtime, tz=UTC)

    return Pieces()


def piece_of(pieces: Sequence[Piece], path: str) -> Piece:
    """Return the piece that a path of the file system names."""
    return pieces[int(path.rpartition("/")[2])]
