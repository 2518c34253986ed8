from __future__ import annotations

import re
from pathlib import Path

import pytest

from scaleplan.advice.explanations import EXPLANATIONS, explanation
from scaleplan.errors import UsageError

PACKAGE = Path(__file__).parents[3] / "scaleplan"
GIVEN = re.compile(r'\bid="([A-Z0-9_]+)"|\bid_="([A-Z0-9_]+)"')


def given_ids():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if "explanations" in path.parts:
            continue
        for match in GIVEN.finditer(path.read_text(encoding="utf-8")):
            found.add(match.group(1) or match.group(2))
    return found


def test_every_note_is_explained():
    known = {one.id for one in EXPLANATIONS}
    assert given_ids() - known == set()
    assert len(given_ids()) > 50


def test_every_explanation_is_complete_and_single():
    ids = [one.id for one in EXPLANATIONS]
    assert len(set(ids)) == len(ids)
    for one in EXPLANATIONS:
        for text in (one.says, one.rule, one.reason, one.action, one.source):
            assert text.strip() == text, one.id
            assert text, one.id
        assert one.says.endswith(".")


@pytest.mark.parametrize("asked", ["EXTRAPOLATION", "[extrapolation]", " Extrapolation "])
def test_ids_are_found_as_people_write_them(asked):
    assert explanation(asked).id == "EXTRAPOLATION"


def test_every_rejected_law_has_one_explanation():
    assert explanation("POWER_FLOOR_REJECTED").id == "LINEAR_REJECTED"


def test_unknown_ids_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match="there is no note EXTRAPOLATIN") as caught:
        explanation("extrapolatin")
    assert "EXTRAPOLATION" in (caught.value.hint or "")
