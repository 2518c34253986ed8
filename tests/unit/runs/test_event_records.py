"""TensorBoard event files that are damaged, or still written."""

from __future__ import annotations

import pytest

from scaleplan.runs.reading import load_runs


@pytest.fixture
def events(tmp_path):
    """Return an event file of 30 steps and its bytes."""
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path / "run"))
    for step in range(30):
        value = Summary.Value(tag="val/loss", simple_value=3.0 - 0.05 * step)
        writer.add_event(Event(step=step, wall_time=step, summary=Summary(value=[value])))
    writer.close()
    (path,) = (tmp_path / "run").iterdir()
    return path, path.read_bytes()


def read(path):
    runs = load_runs([str(path)], all_points=True)
    return len(runs), [note.text for note in runs.notes if note.id == "EVENTS_UNREAD"]


def test_a_whole_file_has_nothing_left(events):
    assert read(events[0]) == (30, [])


@pytest.mark.parametrize("cut", [1, 3, 10, 25])
def test_a_file_that_is_still_written_is_read_as_far_as_it_goes(cut, events):
    path, content = events
    path.write_bytes(content[:-cut])
    assert read(path) == (29, [])


@pytest.mark.parametrize("inside", [0, 3, 9, 20])
def test_what_stands_behind_a_damage_is_told(inside, events):
    path, content = events
    size = (len(content) - content.index(b"val/loss")) // 30  # of one record, about
    place = len(content) - 10 * size + inside
    path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
    count, (told,) = read(path)
    assert 15 < count < 25
    assert "is damaged behind its event" in told
