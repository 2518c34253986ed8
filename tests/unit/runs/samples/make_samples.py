"""Makes the sample logs in this folder by running the libraries that people log with.

    python make_samples.py                  all of them
    python make_samples.py trainer lm_eval  some

Each trains something tiny for seconds on a processor, lets its library write its log here, and
records in `expected.json` what the training itself returned or printed, so that a test can tell
whether a reader got it right. Versions are in README.md. It runs in this folder, so that no path
of the machine gets into a file.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
VOCABULARY, LENGTH = 64, 32


def fresh(name: str) -> Path:
    """Return an empty folder of this name."""
    folder = Path(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def keep(folder: Path, *endings: str) -> None:
    """Take everything away whose name ends otherwise: weights, optimizer states, caches."""
    for file in sorted(folder.rglob("*"), reverse=True):
        if file.is_dir():
            if not any(file.iterdir()):
                file.rmdir()
        elif not file.name.endswith(endings):
            file.unlink()


def tokens(count: int, seed: int):
    """Return sequences in which a token mostly tells the next one, shape (count, LENGTH)."""
    import torch

    make = torch.Generator().manual_seed(seed)
    rows = torch.empty(count, LENGTH, dtype=torch.long)
    rows[:, 0] = torch.randint(VOCABULARY, (count,), generator=make)
    for i in range(1, LENGTH):
        noise = torch.randint(VOCABULARY, (count,), generator=make)
        kept = torch.rand(count, generator=make) < 0.8
        rows[:, i] = torch.where(kept, (5 * rows[:, i - 1] + 1) % VOCABULARY, noise)
    return rows


def gpt2(width: int):
    """Return a GPT-2 of a few thousand parameters with random weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCABULARY, n_positions=LENGTH, n_embd=width, n_layer=1, n_head=2,
        bos_token_id=0, eos_token_id=0,
    ))  # fmt: skip


def trainer() -> dict:
    """Hugging Face: two runs, and the files that its example `run_clm.py` saves at the end."""
    from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

    class Printed(TrainerCallback):
        """Keeps what is printed of the last training steps."""

        def on_log(self, args, state, control, logs, **_) -> None:
            if "loss" in logs:
                found.setdefault(args.output_dir.rsplit("/", 1)[-1], {}).update(
                    train_loss=logs["loss"], learning_rate=logs["learning_rate"]
                )

    fresh("trainer")
    found: dict = {}
    for name, width in (("narrow", 8), ("wide", 16)):
        set_seed(1)
        model = gpt2(width)
        data = [
            [{"input_ids": row, "labels": row} for row in tokens(count, seed)]
            for count, seed in ((640, 1), (64, 2))
        ]
        arguments = TrainingArguments(
            output_dir=f"trainer/{name}", max_steps=40, per_device_train_batch_size=16,
            learning_rate=0.03, logging_steps=5, eval_strategy="steps", eval_steps=10,
            save_steps=20, include_num_input_tokens_seen="all", report_to="none", use_cpu=True,
            seed=1, disable_tqdm=True,
        )  # fmt: skip
        run = Trainer(
            model=model, args=arguments, train_dataset=data[0], eval_dataset=data[1],
            callbacks=[Printed()],
        )  # fmt: skip
        result = run.train()
        run.log_metrics("train", result.metrics)
        run.save_metrics("train", result.metrics)
        run.save_state()
        measured = run.evaluate()
        run.save_metrics("eval", measured)
        run.save_model()
        found[name].update(
            val_loss=measured["eval_loss"], params=model.num_parameters(),
            tokens=40 * 16 * LENGTH, flops=run.state.total_flos,
        )  # fmt: skip
    keep(Path("trainer"), ".json")
    return found


def lightning() -> dict:
    """Lightning's CSVLogger with a learning-rate monitor: two versions."""
    import lightning as pl
    import torch
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger

    class Net(pl.LightningModule):
        def __init__(self, width: int, lr: float) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(8, width), torch.nn.ReLU(), torch.nn.Linear(width, 1)
            )

        def _loss(self, batch):
            x, y = batch
            return torch.nn.functional.mse_loss(self.net(x), y)

        def training_step(self, batch, _):
            loss = self._loss(batch)
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", self._loss(batch))

        def configure_optimizers(self):
            made = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
            falling = torch.optim.lr_scheduler.StepLR(made, step_size=1, gamma=0.5)
            return {"optimizer": made, "lr_scheduler": falling}

    fresh("lightning_logs")
    found = {}
    for version, width in enumerate((4, 16)):
        pl.seed_everything(1)
        x = torch.randn(256, 8)
        data = torch.utils.data.TensorDataset(x, x.pow(2).sum(1, keepdim=True) / 8)
        parts = torch.utils.data.random_split(data, (192, 64))
        loaders = [torch.utils.data.DataLoader(part, batch_size=16) for part in parts]
        net = Net(width, 0.02)
        run = pl.Trainer(
            max_epochs=5, logger=CSVLogger(".", version=version), log_every_n_steps=4,
            callbacks=[LearningRateMonitor(logging_interval="step")], accelerator="cpu",
            enable_checkpointing=False, enable_progress_bar=False,
        )  # fmt: skip
        run.fit(net, *loaders)
        trained = float(run.callback_metrics["train_loss_epoch"])
        (measured,) = run.validate(net, loaders[1], verbose=False)
        found[f"version_{version}"] = {
            "val_loss": measured["val_loss"], "steps": run.global_step, "learning_rate": 0.02,
            "train_loss": trained,
        }  # fmt: skip
    return found


def keras() -> dict:
    """Keras's CSVLogger, with accuracies and a falling learning rate."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import numpy as np

    folder = fresh("keras")
    found = {}
    for width in (4, 32):
        keras.utils.set_random_seed(1)
        x = np.random.default_rng(1).normal(size=(320, 4)).astype("float32")
        y = (x[:, 0] * x[:, 1] > 0).astype("int32")
        model = keras.Sequential([
            keras.layers.Input((4,)), keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ])  # fmt: skip
        model.compile(
            keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        history = model.fit(
            x, y, validation_split=0.2, epochs=8, batch_size=32, verbose=0,
            callbacks=[
                keras.callbacks.LearningRateScheduler(lambda _, lr: lr * 0.8),
                keras.callbacks.CSVLogger(str(folder / f"dense{width}.csv")),
            ],
        )  # fmt: skip
        found[f"dense{width}"] = {
            key: [float(v) for v in values] for key, values in history.history.items()
        }
    return found


def lm_eval() -> dict:
    """lm-evaluation-harness: a random GPT-2, a multiple-choice task and one of perplexity."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, set_seed

    fresh("lm_eval")
    work = fresh("lm_eval_work")
    words = [f"w{i}" for i in range(VOCABULARY - 1)]
    vocabulary = {word: i for i, word in enumerate(["<end>", *words])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<end>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<end>", unk_token="<end>", pad_token="<end>",
        model_max_length=LENGTH,
    )  # fmt: skip
    for name, width in (("narrow", 8), ("wide", 16)):
        set_seed(2)
        gpt2(width).save_pretrained(work / name)
        tokenizer.save_pretrained(work / name)
    texts = [" ".join(words[t % len(words)] for t in row) for row in tokens(6, 3).tolist()]
    rows = [
        {"text": t, "question": t[:40].rsplit(" ", 1)[0], "choices": [t[-8:], "w1 w2 w3"],
         "gold": i % 2} for i, t in enumerate(texts)
    ]  # fmt: skip
    (work / "rows.json").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (work / "choice.yaml").write_text(_TASK.format(
        task="tiny_choice", output="multiple_choice", text="question", target="gold",
        more="doc_to_choice: choices\n",
        metrics="- metric: acc\n- metric: acc_norm\n",
    ), encoding="utf-8")  # fmt: skip
    (work / "text.yaml").write_text(_TASK.format(
        task="tiny_text", output="loglikelihood_rolling", text="''", target="text", more="",
        metrics="- metric: word_perplexity\n- metric: byte_perplexity\n- metric: bits_per_byte\n",
    ), encoding="utf-8")  # fmt: skip
    found = {name: _evaluated(work / name, work) for name in ("narrow", "wide")}
    shutil.rmtree(work)
    for file in Path("lm_eval").rglob("results*.json"):
        document = json.loads(file.read_text(encoding="utf-8"))
        document["pretty_env_info"] = "(taken out)"  # the machine's processor and packages
        file.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return found


_TASK = """task: {task}
dataset_path: json
dataset_kwargs: {{data_files: {{test: lm_eval_work/rows.json}}}}
test_split: test
output_type: {output}
doc_to_text: {text}
doc_to_target: {target}
{more}metric_list:
{metrics}"""


def _evaluated(model: Path, tasks: Path) -> dict:
    """Run the harness's own command, and return the table that it prints, by task and metric."""
    import subprocess

    command = [
        sys.executable, "-m", "lm_eval", "--model", "hf", "--model_args", f"pretrained={model}",
        "--include_path", str(tasks), "--tasks", "tiny_choice,tiny_text", "--device", "cpu",
        "--batch_size", "4", "--output_path", "lm_eval", "--log_samples",
    ]  # fmt: skip
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": "lm_eval_work/cache",
        "HF_DATASETS_CACHE": "lm_eval_work/cache", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    found: dict = {}
    task = ""
    for line in done.stdout.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 9 and cells[6][:1].isdigit():
            task = cells[0] or task
            found.setdefault(task, {})[cells[4]] = float(cells[6])
    return found


def parquet() -> dict:
    """pandas, written by pyarrow: per-step metrics of two runs, validated at some steps only."""
    import numpy as np
    import pandas as pd

    folder = fresh("parquet")
    steps = np.arange(0, 200, 5)
    parts = []
    for name, params, floor in (("a", 1_000_000, 2.5), ("b", 4_000_000, 2.2)):
        train = floor + 3.0 / np.sqrt(steps + 1.0)
        parts.append(pd.DataFrame({
            "run": name, "step": steps, "tokens": steps * 4096, "params": params,
            "train/loss": train.astype("float32"),
            "eval/loss": np.where(steps % 25 == 0, train + 0.1, np.nan),
            "lr": 1e-3 * (1.0 - steps / 200.0),
        }))  # fmt: skip
    table = pd.concat(parts, ignore_index=True).astype({"run": "category"})
    table.to_parquet(folder / "metrics.parquet")
    best = table.groupby("run", observed=True)["eval/loss"].min()
    return {"val_loss": best.to_dict(), "rows": len(table)}


def tensorboard_torch() -> dict:
    """PyTorch's SummaryWriter, whose scalars are no tensors: one run a folder."""
    from torch.utils.tensorboard import SummaryWriter

    fresh("tensorboard_torch")
    found = {}
    for name, floor in (("narrow", 2.5), ("wide", 2.2)):
        folder = Path("tensorboard_torch") / name
        with SummaryWriter(str(folder)) as writer:
            for step in range(0, 101, 10):
                loss = floor + 1.0 / (step + 1)
                writer.add_scalar("Loss/train", loss, step)
                writer.add_scalar("learning_rate", 1e-3 * (1.0 - step / 200), step)
                if step % 50 == 0:
                    writer.add_scalar("Loss/validation", loss + 0.1, step)
        (file,) = folder.iterdir()
        file.rename(folder / "events.out.tfevents.1700000000.host.1.0")  # no machine's name
        found[name] = {"val_loss": loss + 0.1, "train_loss": loss}
    return found


MAKERS = (trainer, lightning, keras, lm_eval, parquet, tensorboard_torch)


def main(names: list[str]) -> None:
    """Make the samples of these names, or all."""
    os.chdir(HERE)
    path = Path("expected.json")
    expected = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for make in MAKERS:
        if not names or make.__name__ in names:
            expected[make.__name__] = make()
    text = json.dumps(dict(sorted(expected.items())), indent=1)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
