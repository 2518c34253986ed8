"""The text of one input: bytes read in bounded pieces, decompressed, decoded, cut into lines."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Protocol

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.encodings import MARKS, from_windows_1252, line_of_nul, utf16_without_mark
from scaleplan.runs.text import clean_text

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HEAD_BYTES = 1 << 16
# Far above any honest row (a row of 1,000 cells is some 20 KiB), far below what hurts.
LONGEST_LINE = 4 << 20
_LONGEST_BYTES = 4 * LONGEST_LINE  # no character has more than 4
# Documents that must be parsed as a whole (JSON, YAML) take some 20 times their size in memory.
LARGEST_DOCUMENT = 64 << 20
_GZIP_MAGIC = b"\x1f\x8b"
# Logs shrink to a tenth or so; what grows to hundreds of times its size was made to do so.
_MOST_EXPANDED, _LOOKED_AT_FROM = 250, 64 << 20
_ESCAPED = re.compile("[\udc80-\udcff]")
_POINTER = b"version https://git-lfs.github.com/spec/"
_NOT_TEXT_HINT = "Give a log as CSV, YAML, JSON or JSON Lines, in UTF-8."
_NUL = "is not text: it holds NUL bytes"
_NUL_HINT = (
    "A file that was being written when its machine stopped may hold some: take them out, "
    "tr -d '\\000' < FILE > CLEAN."
)
_MAGIC_HINTS = (
    (b"PK\x03\x04", "It looks like a spreadsheet or zip archive: export it as CSV."),
    (b"PAR1", "It is a Parquet file: export it as CSV."),
    (b"SQLite format 3", "It is an SQLite database: export the table as CSV."),
    (b"BZh", "It is compressed with bzip2: decompress it, or use gzip."),
    (b"\xfd7zXZ", "It is compressed with xz: decompress it, or use gzip."),
    (b"\x28\xb5\x2f\xfd", "It is compressed with zstd: decompress it, or use gzip."),
)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Replayed(io.RawIOBase):
    """Bytes that were read to look at them, followed by the rest of their stream."""

    def __init__(self, head: bytes, rest: _Readable, advance: Callable[[int], None] | None) -> None:
        super().__init__()
        self._head, self._rest, self._advance = head, rest, advance
        self.taken = 0  # bytes so far

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer from the head, then from the rest."""
        view = memoryview(buffer).cast("B")
        data, self._head = self._head[: len(view)], self._head[len(view) :]
        if not data and isinstance(self._rest, io.BufferedIOBase):
            count = self._rest.readinto(view)  # not by way of bytes that are copied
        else:
            data = data or self._rest.read(len(view))
            view[: len(data)] = data
            count = len(data)
        self.taken += count
        if self._advance is not None:
            self._advance(count)
        return count


class _Unzipped(_Replayed):
    """Bytes that were compressed, which may not be very many more than before."""

    def __init__(self, name: str, packed: _Replayed) -> None:
        unzipped = gzip.GzipFile(fileobj=io.BufferedReader(packed), mode="rb")
        self.head = _read_head(unzipped)
        super().__init__(self.head, unzipped, None)
        self._name, self._packed = name, packed

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer.

        Raises:
            InputError: If the bytes become very many more.
        """
        count = super().readinto(buffer)
        if self.taken > max(_LOOKED_AT_FROM, _MOST_EXPANDED * self._packed.taken):
            raise InputError(
                f"grows to over {_MOST_EXPANDED} times its size when it is decompressed, which no "
                "log does", file=self._name, hint="Give it decompressed if it is a log.",
            )  # fmt: skip
        return count


class TextSource:
    """The text of one input.

    Args:
        name: What messages call it.
        stream: Its bytes, compressed or not.
        advance: Called with the number of bytes that were taken from the stream.
        growing: Whether it is still written: a last line without an end is left out.
        size: How many bytes the stream has; 0 where that is not known.

    Attributes:
        size: How many bytes the text has; 0 where that is not known.

    Raises:
        InputError: If it is empty, not text, or damaged.
    """

    def __init__(
        self, name: str, stream: BinaryIO, *, advance: Callable[[int], None] | None = None,
        growing: bool = False, size: int = 0,
    ) -> None:  # fmt: skip
        self.name = clean_text(name)
        self.growing, self.size = growing, size
        self._fallback_line: int | None = None
        with self._failures():
            head = _read_head(stream)
            if head.startswith(_POINTER):
                raise InputError(
                    "is a pointer of Git LFS that stands for the file, not the file",
                    file=self.name,
                    hint="Fetch the file with `git lfs pull`.",
                )
            binary = _Replayed(head, stream, advance)
            if head.startswith(_GZIP_MAGIC):
                self.size = 0
                binary = _Unzipped(self.name, binary)
                head = binary.head
            encoding = next((e for mark, e in MARKS if head.startswith(mark)), "utf-8")
            self._refuse_binary(head, encoding)
            strict = encoding.startswith(("utf-16", "utf-32"))
            self._text = io.TextIOWrapper(
                io.BufferedReader(binary, _HEAD_BYTES), encoding=encoding,
                errors="strict" if strict else "surrogateescape", newline="",
            )  # fmt: skip
            self.head = head.decode(encoding, errors="replace")
        # Whether it is worth reading in blocks, and ends its lines in a way that blocks are cut at.
        self.long = not strict and len(head) >= _HEAD_BYTES and b"\n" in head
        if not self.head.strip("\ufeff \t\r\n"):
            self._refuse_blank()

    def lines(self) -> Iterator[str]:
        """Return the lines with their ends (LF, CRLF or CR).

        Raises:
            InputError: If a line is too long, or the bytes are damaged or not text.
        """
        return self._lines(self._text)

    def blocks(self, first: int, size: int) -> Iterator[bytes]:
        """Return the bytes of whole lines, some at a time; the last line may have no end.

        Args:
            first: About how many bytes the first block has.
            size: About how many the others have.
        """
        with self._failures():
            wanted = first
            while data := self._text.buffer.read(wanted):
                wanted = size
                if not data.endswith(b"\n"):
                    # A line that is longer than any may be ends here: its reader refuses it.
                    data += self._text.buffer.readline(_LONGEST_BYTES)
                cut = len(data)
                if self.growing and not data.endswith(b"\n"):
                    cut = data.rfind(b"\n") + 1  # half a line is a block of its own
                if cut:
                    yield data[:cut] if cut < len(data) else data
                if cut < len(data):
                    yield data[cut:]

    def lines_in(self, block: bytes, before: int) -> Iterator[str]:
        """Return the lines of a block with their ends, as `lines` does.

        Args:
            block: The bytes.
            before: How many lines the text had before it.

        Raises:
            InputError: If a line is too long, or the bytes are not text.
        """
        encoding = self._text.encoding if before == 0 else "utf-8"
        text = io.TextIOWrapper(
            io.BytesIO(block), encoding=encoding, errors="surrogateescape", newline=""
        )
        return self._lines(text, before)

    def _lines(self, text: io.TextIOWrapper, number: int = 0) -> Iterator[str]:
        # One guard around the loop, not one a line: it would take half of the time of reading.
        with self._failures():
            while line := text.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise InputError(
                        f"the line is longer than {LONGEST_LINE >> 20} MiB", file=self.name,
                        line=number,
                        hint="A log has one run or step a line; check how it was written.",
                    )  # fmt: skip
                if self.growing and not line.endswith(("\n", "\r")):
                    return  # 0.1 may become 0.15 with the next write
                plain = line.isascii() and "\0" not in line
                yield line if plain else self._checked(line, number)

    def read(self) -> str:
        """Return the whole text.

        Raises:
            InputError: If it is too large, damaged or not text.
        """
        with self._failures():
            text = self._text.read(LARGEST_DOCUMENT + 1)
        if len(text) > LARGEST_DOCUMENT:
            raise InputError(
                f"is larger than {LARGEST_DOCUMENT >> 20} MiB, which is too much for this format",
                file=self.name, hint="Give it as CSV or JSON Lines, which are read row by row.",
            )  # fmt: skip
        return self._checked(text, 1)

    def notes(self) -> tuple[Note, ...]:
        """Return what there is to say about the encoding, after reading."""
        if self._fallback_line is None:
            return ()
        return (
            Note(
                id="ENCODING", severity="warning",
                text=f"{self.name} is not UTF-8 from line {self._fallback_line} on; its bytes were "
                "read as Windows-1252 (Latin-1).",
                action="Save it as UTF-8 if names look wrong.",
            ),
        )  # fmt: skip

    def _checked(self, text: str, line: int) -> str:
        """Refuse NUL characters, and read bytes that are not UTF-8 as Windows-1252."""
        if "\0" in text:
            raise InputError(_NUL, file=self.name, line=line, hint=_NUL_HINT)
        if text.isascii() or _ESCAPED.search(text) is None:
            return text
        if self._fallback_line is None:
            match = _ESCAPED.search(text)
            before = text[: match.start()] if match else ""
            self._fallback_line = line + before.count("\n")
        return _ESCAPED.sub(from_windows_1252, text)

    def _refuse_binary(self, head: bytes, encoding: str) -> None:
        hint = next((h for magic, h in _MAGIC_HINTS if head.startswith(magic)), "")
        if hint or (encoding.startswith("utf-8") and b"\0" in head):
            line = 0 if hint else line_of_nul(head)
            if line:
                raise InputError(_NUL, file=self.name, line=line, hint=_NUL_HINT)
            unmarked = "" if hint else utf16_without_mark(head)
            if unmarked:
                raise InputError(
                    f"is not text in UTF-8: every other byte is NUL, as in {unmarked}",
                    file=self.name, hint=f"Save it as UTF-8: iconv -f {unmarked} -t UTF-8 FILE.",
                )  # fmt: skip
            raise InputError("is not text", file=self.name, hint=hint or _NOT_TEXT_HINT)

    def _refuse_blank(self) -> None:
        """Refuse an input without text; one that starts with much blank space may go on."""
        if len(self.head) >= _HEAD_BYTES // 4:
            return
        raise InputError(
            "is empty", file=self.name, hint="Give a log with column names and at least one run."
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what the system and the decoders refuse into an error that names the input."""
        try:
            yield
        except EOFError:
            message, hint = "the compressed data end too early", "Copy the file again."
        except (gzip.BadGzipFile, zlib.error) as error:
            message, hint = f"the compressed data are damaged ({error})", "Copy the file again."
        except UnicodeError as error:
            reason = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
            message, hint = f"the text cannot be decoded ({reason})", "Save it as UTF-8."
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            hint = "Check the path and its rights."
        else:
            return
        raise InputError(message, file=self.name, hint=hint)


def _read_head(stream: _Readable) -> bytes:
    """Read the first bytes; a pipe may give them in small pieces."""
    pieces: list[bytes] = []
    wanted = _HEAD_BYTES
    while wanted > 0:
        piece = stream.read(wanted)
        if not piece:
            break
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)
