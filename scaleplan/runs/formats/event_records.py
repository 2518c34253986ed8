"""Whether a TensorBoard event file was read to its end: its reader stops at the first damage.

The file is of records: 8 bytes with the length of the data, 4 with a checksum of those, the data,
4 with a checksum of them (TensorFlow's `record_writer.h`).
"""

from __future__ import annotations

from pathlib import Path

from scaleplan.records import Note

_HEAD, _CHECKSUM = 12, 4  # bytes


def unread_events(path: Path, name: str) -> tuple[Note, ...]:
    """Return a note on the events behind a damaged one, which the reader leaves out.

    A file that ends inside of an event is one that is still written, and is read as far as it goes.

    Args:
        path: The event file.
        name: What messages call it.
    """
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    size, read, end = path.stat().st_size, 0, 0
    for record in RawEventFileLoader(str(path)).Load():
        read += 1
        end += _HEAD + len(record) + _CHECKSUM
    left = size - end
    if left < _HEAD or _ends_inside(path, end, size):
        return ()
    return (
        Note(
            id="EVENTS_UNREAD", severity="warning",
            text=f"{name} is damaged behind its event {read}: {left:,} of its {size:,} bytes were "
            "not read.",
            action="Copy the file again, or export the scalars as CSV.",
            numbers=(("bytes", float(left)),),
        ),
    )  # fmt: skip


def _ends_inside(path: Path, start: int, size: int) -> bool:
    """Tell whether the last record begins at `start` and has not all of its bytes yet."""
    with path.open("rb") as stream:
        stream.seek(start)
        length = int.from_bytes(stream.read(8), "little")
    # No event is of so many gigabytes: such a length is damage itself.
    return size < start + _HEAD + length + _CHECKSUM and length < size
