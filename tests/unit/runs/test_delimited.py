"""Tables of text: delimiters, quoting, encodings, decimal marks, and what is wrong with them."""

from __future__ import annotations

import gzip
import io

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.formats.heading import heading_of
from scaleplan.runs.reading import load_runs

PLAIN = "params,tokens,loss\n1e6,2e7,4.5\n2e6,4e7,4.0\n4e6,8e7,3.6\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_delimiters_give_the_same_runs(load, delimiter):
    runs = load(PLAIN.replace(",", delimiter))
    assert runs.column("params").tolist() == [1e6, 2e6, 4e6]
    assert runs.value.tolist() == [4.5, 4.0, 3.6]
    assert runs.fingerprint == load(PLAIN).fingerprint


def test_every_row_of_a_long_table_is_read(load):
    rows = "".join(f"{i},{2 * i},{5 - i / 1000}\n" for i in range(1, 1001))
    runs = load("params,tokens,loss\n" + rows)
    assert len(runs) == 1000
    assert runs.column("params").tolist() == [float(i) for i in range(1, 1001)]
    assert runs.origins[999] == ("runs.csv", 1001)


def test_a_delimiter_inside_quotes_does_not_decide():
    lines = ["name;params;loss\n", '"a,b,c";1;2\n', '"d,e,f";3;4\n']
    assert heading_of(lines, "").delimiter == ";"


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8-sig", b""), ("utf-16", b""), ("utf-32", b""), ("utf-8", b"")]
)
def test_byte_order_marks(load, encoding, mark):
    assert load(mark + PLAIN.encode(encoding)).fingerprint == load(PLAIN).fingerprint


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends(load, end):
    runs = load(PLAIN.replace("\n", end))
    assert [line for _, line in runs.origins] == [2, 3, 4]
    assert len(runs) == 3


def test_last_line_without_its_end(load):
    assert len(load(PLAIN.rstrip("\n"))) == 3


def test_a_cut_last_line_is_dropped(load, reasons):
    runs = load(PLAIN + "8e6,1.6e")
    assert len(runs) == 3
    [(line, reason)] = reasons(runs)
    assert line == 5
    assert "2 cells" in reason
    assert "3" in reason


def test_ragged_rows_are_dropped_and_trailing_delimiters_are_not(load, reasons):
    runs = load("params,tokens,loss\n1e6,2e7,4.5,\n2e6,4e7,4.0,9\n4e6\n8e6,1e8,3.5\n")
    assert runs.column("params").tolist() == [1e6, 8e6]
    assert [line for line, _ in reasons(runs)] == [3, 4]
    assert runs.cleaning.rows_read == 4


def test_quoted_line_breaks_keep_line_numbers(load, reasons):
    runs = load('run,params,loss\n"a\nb",1e6,4\n\nc,2e6,-1\n')
    assert runs.labels["run"] == ("a b",)
    assert reasons(runs) == [(5, "loss is -1; it must be positive")]


def test_comments_at_the_top_are_metadata(load):
    runs = load("# a log\n# unit: nats/token\n\n# tokenizer = bpe\n" + PLAIN)
    assert runs.metadata == {"unit": "nats/token", "tokenizer": "bpe"}
    assert runs.metric.unit == "nats/token"
    assert runs.labels["tokenizer"] == ("bpe",) * 3
    assert runs.origins[0] == ("runs.csv", 6)


def test_repeated_column_names_are_said(load, note_ids):
    runs = load("params,tokens,loss,loss\n1e6,2e7,4.5,9\n2e6,4e7,4.0,9\n")
    assert runs.value.tolist() == [4.5, 4.0]
    assert "DUPLICATE_COLUMN" in note_ids(runs)


@pytest.mark.parametrize("text", ["", "\n\n", "   \n", "\ufeff"])
def test_empty_file(load, text):
    with pytest.raises(InputError, match="is empty"):
        load(text)


def test_header_only(load):
    with pytest.raises(InputError, match="no runs") as error:
        load("params,tokens,loss\n")
    assert error.value.hint


def test_no_header(load):
    with pytest.raises(InputError, match="numbers where column names should be") as error:
        load("1e6,2e7,4.5\n2e6,4e7,4.0\n")
    assert error.value.line == 1


def test_latin_1_is_read_and_said(load):
    text = "run,params,tokens,loss\nGröße,1e6,2e7,4.5\nµ,2e6,4e7,4.0\n"
    runs = load(text.encode("latin-1"))
    assert runs.labels["run"] == ("Größe", "µ")
    [note] = [n for n in runs.notes if n.id == "ENCODING"]
    assert "line 2" in note.text
    assert "runs.csv" in note.text


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\x03\x04\x14\0\0\0", b"PAR1abc",
        PLAIN.encode("utf-16-le"), bytes(range(256)) * 10,
    ],
)  # fmt: skip
def test_binary_files(load, content):
    with pytest.raises(InputError, match="not text") as error:
        load(content)
    assert error.value.hint


def test_nul_far_into_the_file(load):
    content = PLAIN.encode() + b"1e6,2e7,4.5\n" * 20_000 + b"1e6,\0,3\n"
    with pytest.raises(InputError, match="NUL") as error:
        load(content)
    assert error.value.line == 20_005


def test_gzip_by_its_magic_bytes(load):
    packed = gzip.compress(PLAIN.encode())
    for name in ("runs.csv.gz", "runs.csv", "runs"):
        assert load(packed, name=name).fingerprint == load(PLAIN).fingerprint


def test_what_grows_without_end_is_no_log(load, monkeypatch):
    monkeypatch.setattr("scaleplan.runs.source._LOOKED_AT_FROM", 1 << 20)
    rows = "".join(f"1e{k % 7},2,{k % 97}.5\n" for k in range(100_000))
    assert len(load(gzip.compress(("params,tokens,loss\n" + rows).encode()))) > 0
    with pytest.raises(InputError, match="over 250 times its size"):
        load(gzip.compress(PLAIN.encode() + b"1e6,2e7,4.5\n" * 300_000))


@pytest.mark.parametrize("cut", [5, 15, 30])
def test_truncated_gzip(load, cut):
    with pytest.raises(InputError, match="compressed data") as error:
        load(gzip.compress(PLAIN.encode() * 50)[:-cut])
    assert error.value.file == "runs.csv"


def test_damaged_gzip(load):
    packed = bytearray(gzip.compress(PLAIN.encode() * 50))
    packed[20] ^= 0xFF
    with pytest.raises(InputError, match="compressed data"):
        load(bytes(packed))


def test_a_line_of_300_mb_is_refused_without_being_held():
    class Endless(io.RawIOBase):
        """A stream of one line that counts what is taken from it."""

        taken = 0

        def readable(self):
            return True

        def readinto(self, buffer):
            size = min(len(buffer), 300_000_000 - self.taken)
            buffer[:size] = b"7" * size
            self.taken += size
            return size

    stream = Endless()
    with pytest.raises(InputError, match="longer than 4 MiB") as error:
        load_runs(["-"], stdin=io.BufferedReader(stream))
    assert error.value.line == 1
    assert stream.taken < 20_000_000


def test_a_quote_that_is_never_closed(load):
    rows = "".join(f"{i},{i},3\n" for i in range(1, 40_000))
    with pytest.raises(InputError, match="cannot be read") as error:
        load('params,tokens,loss\n1,2,"3\n' + rows)
    assert error.value.line == 2
    assert "quotation mark" in error.value.hint


def test_decimal_commas_in_semicolon_tables(load):
    runs = load("params;tokens;loss\n1.234.567;2e7;2,345\n350.000;4e7;2,3\n1234567,8;5e7;2,25\n")
    assert runs.column("params").tolist() == [1234567.0, 350000.0, 1234567.8]
    assert runs.value.tolist() == [2.345, 2.3, 2.25]
    assert any("loss" in c.reason for c in runs.cleaning.changed)


def test_a_comma_of_three_digits_is_decimal_after_semicolons_and_groups_elsewhere(load):
    assert load("params;loss\n10;2,345\n20;2,125\n").value.tolist() == [2.345, 2.125]
    assert load('params,loss\n"1,234",2.5\n"12,345",2.25\n').column("params").tolist() == [
        1234.0, 12345.0,
    ]  # fmt: skip
    tabs = load("params\tloss\n1,234\t2.5\n12,345\t2.25\n")
    assert tabs.column("params").tolist() == [1234.0, 12345.0]


def test_dots_stay_decimal_where_the_log_shows_that_they_are(load):
    runs = load("params;loss\n1,234,567;2.345\n350;2.3451\n")
    assert runs.column("params").tolist() == [1234567.0, 350.0]
    assert runs.value.tolist() == [2.345, 2.3451]


def test_dots_of_three_digits_without_any_comma_are_decimal(load):
    assert load("params;loss\n100;2.345\n200;2.125\n").value.tolist() == [2.345, 2.125]


def test_terminal_escapes_never_reach_names_or_messages(load, reasons):
    runs = load("run,params\x1b[31m,loss\n\x1b]0;evil\x07x,1e6,4\ny,2e6,\x1b[2Jbad\u202e\n")
    said = [*runs.labels["run"], *(r for _, r in reasons(runs)), *runs.extra, *runs.columns]
    said += [use.column for use in runs.cleaning.columns]
    assert not any(c < " " or c in "\x7f\x9b\u202e" for text in said for c in text)
    assert runs.labels["run"] == ("]0;evilx",)


def test_the_line_in_which_excel_names_the_delimiter(load):
    runs = load("sep=;\nparams;loss\n1;2,5\n2;1,5\n")
    assert runs.value.tolist() == [2.5, 1.5]
    assert runs.origins[0] == ("runs.csv", 3)
