"""Logs of reinforcement learning: what agents collect is their metric, boxes are points."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves

STEPS = range(2048, 2048 * 13, 2048)


def reward(step):
    return round(-150.0 + step / 100.0, 2)


def box(step, group="rollout", name="ep_rew_mean", extra="train/"):
    rows = [
        (f"{group}/", ""), ("   ep_len_mean", "20.3"), (f"   {name}", f"{reward(step)}"),
        ("time/", ""), ("   iterations", f"{step // 2048}"), ("   total_timesteps", f"{step}"),
        (extra, ""), ("   learning_rate", "0.0003"), ("   loss", "7.12"),
        ("   n_updates", f"{step // 20}"), ("   value_loss", "53.1"),
    ]  # fmt: skip
    rule = "-" * 46 + "\n"
    return rule + "".join(f"| {a:<27} | {b:<12} |\n" for a, b in rows) + rule


@pytest.fixture
def read(log):
    return lambda text: load_curves([log(text)])


@pytest.mark.parametrize(("group", "name"), [("rollout", "ep_rew_mean"), ("eval", "mean_reward")])
def test_a_box_is_one_point(read, group, name):
    text = "Using cpu device\n" + "".join(box(step, group, name) for step in STEPS)
    found = read(text)
    [curve] = found.curves
    series = curve.validation if group == "eval" else curve.training
    assert curve.metric.name == f"{group}/{name}"
    assert series.value.tolist() == [reward(step) for step in STEPS]
    assert series.at.tolist() == list(STEPS)
    assert "JUDGED_BY_REWARD" in [note.id for note in found.notes]


def test_evaluations_beside_boxes_stand_at_their_steps(read):
    [curve] = read(
        "".join(
            f"Eval num_timesteps={s}, episode_reward={reward(s)} +/- 28.17\nlength: 5 +/- 2\n"
            for s in STEPS
        )
    ).curves
    assert curve.training.at.tolist() == list(STEPS)
    assert curve.training.value.tolist() == [reward(s) for s in STEPS]


def test_a_box_without_steps_is_read_line_by_line(read):
    rows = "".join(f"step {s} loss {1000 / s:.4f}\n| value | 3 |\n| loss | 9 |\n" for s in STEPS)
    [curve] = read(rows).curves
    assert curve.training.value.tolist() == [round(1000 / s, 4) for s in STEPS]


@pytest.mark.parametrize(
    "line",
    ["global_step={step}, episodic_return={reward}\n",
     "global_step={step}, episodic_return=[{reward}]\nSPS: 1200\n"],
)  # fmt: skip
def test_returns_of_episodes_are_read(read, line):
    [curve] = read("".join(line.format(step=s, reward=reward(s)) for s in STEPS)).curves
    assert curve.training.value.tolist() == [reward(s) for s in STEPS]
    assert curve.training.at.tolist() == list(STEPS)


def test_a_list_below_a_heading_is_one_point(read):
    text = "".join(
        f"{'#' * 60}\n            Learning iteration {i}/1500\n\n"
        f"          Computation: 46028 steps/s (collection: 1.3s)\n"
        f"          Value function loss: 0.0123\n          Mean reward: {reward(s)}\n"
        f"{'-' * 60}\n          Total timesteps: {s}\n          ETA: 00:10:00\n\n"
        for i, s in enumerate(STEPS)
    )
    [curve] = read(text).curves
    assert curve.training.value.tolist() == [reward(s) for s in STEPS]
    assert curve.training.at.tolist() == list(range(len(STEPS)))


def test_a_list_ends_where_the_next_begins_in_a_log_that_is_indented(read):
    text = "".join(
        f"    {'#' * 40}\n        Learning iteration {i}/1500\n\n"
        f"      Mean total reward: {reward(s)}\n"
        f"    {'-' * 40}\n      Total timesteps: {s}\n\n    Storing it: in logs\n"
        for i, s in enumerate(STEPS)
    )
    [curve] = read(text).curves
    assert curve.training.value.tolist() == [reward(s) for s in STEPS]


@pytest.mark.parametrize(
    ("columns", "metric"),
    [("rollout/ep_rew_mean,train/loss", "rollout/ep_rew_mean"),
     ("episode_reward_mean,info/learner/total_loss", "episode_reward_mean"),
     ("AverageEpRet,LossPi", "AverageEpRet"), ("eprewmean,loss/value_loss", "eprewmean"),
     ("reward,loss", "reward"),
     ("rewards/chosen,loss", "loss"), ("reward,val_loss", "val_loss"),
     ("reward_margin,loss", "loss"), ("episode_reward_min,loss", "loss")],
)  # fmt: skip
def test_rewards_come_before_losses_of_batches(load, columns, metric):
    rows = "".join(f"{s},{reward(s) + 200},{3.0 + 1 / s}\n" for s in STEPS)
    assert load(f"step,{columns}\n{rows}").metric.name == metric


def test_a_metric_that_is_named_counts(load):
    rows = "".join(f"{s},{reward(s) + 200},3.5\n" for s in STEPS)
    assert load(f"step,reward,loss\n{rows}", metric="loss").metric.name == "loss"
    assert load(f"step,reward,loss\n{rows}", columns={"loss": "loss"}).metric.name == "loss"


@pytest.mark.parametrize(
    ("name", "split"), [("train/return", "training"), ("eval/return", "validation")]
)
def test_returns_of_dreamer_are_rewards_of_their_split(read, name, split):
    text = "".join(
        f'{{"step": {s}, "{name}": {reward(s)}, "train/length": 500, "model_loss": 3.1}}\n'
        for s in STEPS
    )
    [curve] = read(text).curves
    assert curve.metric.name == name
    assert getattr(curve, split).value.tolist() == [reward(s) for s in STEPS]


def test_the_objective_of_a_policy_comes_before_the_losses_of_its_batches(read):
    found = read(
        "".join(
            f"{{'eps': 0, 'objective/kl': 0.5, 'objective/non_score_reward': -0.1, "
            f"'objective/rlhf_reward': {i / 10 - 2}, 'objective/scores': {i / 10 - 1.9}, "
            f"'loss/policy_avg': -0.05, 'loss/value_avg': {0.4 - i / 100}, 'episode': {4 * i}}}\n"
            for i in range(1, 9)
        )
    )
    [curve] = found.curves
    assert curve.metric.name == "objective/rlhf_reward"
    [note] = [note for note in found.notes if note.id == "JUDGED_BY_REWARD"]
    assert "loss/value_avg" in note.text
    assert "rlhf" not in note.action
