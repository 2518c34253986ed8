"""A saved fit whose numbers were edited into what no fit can hold is refused, field by field."""

from __future__ import annotations

import pytest
import yaml
from records_for_tests import fit_like

from scaleplan.errors import ExitCode, InputError
from scaleplan.fitfile import load_fit, save_fit
from scaleplan.records import OptimumRow

INF, NAN = float("inf"), float("nan")
ROW = OptimumRow(
    flops=1e21, params=1e9, params_low=None, params_high=None, tokens=2e10, value=2.5, low=None,
    high=None,
)  # fmt: skip


def edited(tmp_path, field, value):
    """Write a fit, change one field of the file, and return its path."""
    target = tmp_path / "fit.yaml"
    save_fit(fit_like(optimum=(ROW,), hull=((1e8, 1e9), (1e9, 1e10))), str(target))
    document = yaml.safe_load(target.read_text(encoding="utf-8"))
    *way, last = [int(step) if step.isdigit() else step for step in field.split(".")]
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    target.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return target


@pytest.mark.parametrize(
    ("field", "value", "found", "allowed"),
    [
        ("flops_per_param_token", 0, "flops_per_param_token is 0", "a positive number"),
        ("flops_per_param_token", INF, "flops_per_param_token is inf", "a positive number"),
        ("main.theta.0", NAN, r"main.theta\[0\] \(E\) is nan", "a finite number"),
        ("main.theta.0", -5.0, r"main.theta\[0\] \(E\) is -5", "from 0 to inf"),
        ("main.theta.0", 0.5, r"parameters\[0\].value is 1.8172 \(E\)", r"main.theta\[0\], 0.5"),
        ("main.theta", [1.8, 400.0], "main.theta is 2 numbers", "5 for the chinchilla law"),
        ("main.noise", -1.0, "main.noise is -1", "zero or positive"),
        ("main.noise", NAN, "main.noise is nan", "zero or positive"),
        ("main.dof", -3, "main.dof is -3", "zero or positive"),
        ("main.residual", "lag", "lag", "not one of log, raw"),
        ("main.law", "foo", "main.law is 'foo'", "there is no law 'foo'"),
        ("main.law", "power", "main.theta is 5 numbers", "2 for the power law"),
        ("law", "foo", "law is 'foo'", "that of main, 'chinchilla'"),
        ("inputs", ["params"], "inputs is params", "params, tokens for the chinchilla law of main"),
        ("inputs", ["tokens", "params"], "inputs is tokens, params", "be params, tokens for"),
        ("input_columns", ["N"], "input_columns is a list of 1", "one for each input"),
        ("main.covariance.1.1", -0.5, r"main.covariance\[1\]\[1\] is -0.5", "a variance"),
        ("main.covariance.0.1", NAN, r"main.covariance\[0\]\[1\] is nan", "a finite number"),
        ("main.covariance.0", [1.0], "main.covariance is of another shape", "5 rows of 5"),
        ("parameters.2.value", 0.5, r"parameters\[2\].value is 0.5 \(alpha\)", "main.theta"),
        ("parameters.2.low", NAN, r"parameters\[2\].low is nan", "a number or null"),
        ("parameters", [], "parameters is a list of 0", "one of 5"),
        ("interval.level", 90, "interval.level is 90", "between 0 and 1"),
        ("widening.change", -1.0, "widening.change is -1", "zero or positive"),
        ("widening.share", NAN, "widening.share is nan", "zero or positive"),
        ("widening.below", 0.0, "widening.below is 0", "a positive number"),
        ("widening.above", NAN, "widening.above is nan", "a positive number"),
        ("widening.weights", [0.5, 0.5], "widening.weights is a list of 2", "each of 1 laws"),
        ("widening.weights.0", 0.7, "widening.weights is 0.7 in all", "1 in all"),
        ("widening.weights.0", -1.0, r"widening.weights\[0\] is -1", "zero or positive"),
        ("ranges.0.low", 1e99, r"ranges\[0\].low is 1e\+99", "at most its high"),
        ("ranges.0.high", NAN, r"ranges\[0\].high is nan", "a finite number"),
        ("hull.0.1", 0.0, r"hull\[0\]\[1\] is 0", "a positive number"),
        ("optimum.0.params", -1.0, r"optimum\[0\].params is -1", "a positive number"),
    ],
)
def test_an_edited_number_is_named_with_what_is_allowed(tmp_path, field, value, found, allowed):
    target = edited(tmp_path, field, value)
    with pytest.raises(InputError, match=f"{found}.*{allowed}") as caught:
        load_fit(str(target))
    assert caught.value.exit_code == ExitCode.INPUT
    assert caught.value.file == str(target)
    assert "scaleplan fit RUNS -o fit.yaml" in caught.value.hint


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "my fit"),
        ("flops_per_param_token", 5.5),
        ("main.noise", 0.0),
        ("main.noise", None),
        ("main.covariance", None),
        ("widening.change", 0.0),
        ("main.theta.0", 1.8172 * (1.0 + 1e-12)),
        # A variance of zero that rounding left below it.
        ("main.covariance.1.1", -1e-12),
    ],
)
def test_an_edit_that_a_fit_can_hold_is_read(tmp_path, field, value):
    load_fit(str(edited(tmp_path, field, value)))


@pytest.mark.parametrize("command", ["predict", "budget"])
def test_a_command_ends_as_for_other_bad_files(tmp_path, invoke, command):
    target = str(edited(tmp_path, "flops_per_param_token", 0))
    asked = ("predict", target, "--flops", "1e22")
    if command == "budget":
        asked = ("budget", "--fit", target, "--gpus", "64", "--params", "1e9")
    done = invoke(*asked)
    assert done.exit_code == ExitCode.INPUT
    assert "flops_per_param_token is 0; it must be a positive number" in done.stderr
    assert "Traceback" not in done.stderr
