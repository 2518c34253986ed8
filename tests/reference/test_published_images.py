"""Training rates of CNNs against those that tests/benchmark/published_images.py prints."""

import importlib.util
from pathlib import Path

_FILE = Path(__file__).resolve().parents[1] / "benchmark" / "published_images.py"
_SPEC = importlib.util.spec_from_file_location("published_images", _FILE)
published_images = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(published_images)


def test_the_targets_are_met_by_the_published_rates(capsys):
    assert published_images.main() == 0, capsys.readouterr().out


def test_the_band_is_neither_too_wide_nor_too_narrow():
    """It is printed as one that holds 80% of runs."""
    ratios = published_images.rate_ratios()
    assert 0.80 <= published_images.in_band(ratios) <= 0.95
