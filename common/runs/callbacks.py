"""Keras callbacks that keep a run: evaluation, best weights, state to resume from, history, curves and progress."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from tqdm import tqdm

from common.command_line import UserError
from common.devices import cluster_of
from common.keras_compat import keras, seed_layers, tf
from common.runs.curves import Curves
from common.runs.directory import Evaluation, Run
from common.runs.values import Between, from_json
from common.runs.weights import load_about, named_values, restore, save_arrays
from common.signals import Stopped, stopped_by_signals
from common.submission import atomic_write


class KeepRun(keras.callbacks.Callback):
    """After every epoch: evaluate on dev, keep the best weights, and save all that continuing needs.

    run: the directory. evaluate: makes an `Evaluation` with the weights the model has when it is called (the averaged
    ones, where the optimizer keeps an average). figures: the metrics to show, of which the first is maximised.
    patience: evaluations without a better score before training stops; 0 never stops. Call `resume()` before `fit`, and
    give `fit` what `remaining()` says of the epochs from the one on that it returns.

    Resuming is exact: weights, averages and optimizer come from last/state.h5, and order, negatives and dropout of an
    epoch depend on (seed, epoch) alone. The state is one file replaced at one stroke, after the best weights: a kill
    between the two repeats an epoch, with the same result.

    Any compiled `keras.Model` will do; call `seed_everything` before it is built. A TrainingModel says itself what its
    state is, and with which weights it is evaluated.
    """

    def __init__(
        self, run: Run, evaluate: Callable[[], Evaluation], seed: int, figures: Sequence[str], patience: int = 0
    ):
        super().__init__()
        self.run, self.evaluate, self.seed, self.figures, self.patience = run, evaluate, seed, figures, patience
        self.monitor = figures[0]
        self.history: list[dict[str, Any]] = []

    @property
    def best(self) -> dict[str, Any] | None:
        """The history entry with the highest monitored metric, the last of equals; None before the first evaluation."""
        return max(self.history, key=lambda entry: (entry[self.monitor], entry["epoch"]), default=None)

    @property
    def stopped_early(self) -> bool:
        """Whether `patience` has run out. A run resumed in this state must not be given further epochs: Keras would
        train one."""
        if not (self.patience and self.history):
            return False
        # `max` gives the first of equals: an equal score is no better one, or a run that scores 0 for ever would never
        # stop.
        first_best = max(self.history, key=lambda entry: entry[self.monitor])
        return self.history[-1]["epoch"] - first_best["epoch"] >= self.patience

    def remaining(self, epochs: range) -> dict[str, int]:
        """For `fit`, the first and the last of the epochs that are to come; none where `patience` has run out."""
        return {"initial_epoch": epochs.start, "epochs": epochs.start if self.stopped_early else epochs.stop}

    def resume(self, model: keras.Model) -> int:
        """Put the saved state, if there is one, into a compiled model; returns the number of epochs already done.
        Raises UserError when another process trains this run, and for a state that is damaged or of another network."""
        self.run.hold()
        self.run.remove_unfinished_files()
        model.optimizer.build(model.trainable_variables)
        state = self.run.last_state
        if not state.is_file():
            return 0
        history = self._history_of(load_about(state), state)
        restore(model.weights, state, "model")
        restore(optimizer_state(model), state, "optimizer")
        self.history = history
        return len(self.history)

    def _history_of(self, about: dict[str, Any], source: Path) -> list[dict[str, Any]]:
        history = from_json(list[dict[str, Any]], about.get("history"), source, "history")
        for number, entry in enumerate(history, start=1):
            from_json(Annotated[int, Between(number, number)], entry.get("epoch"), source, "epoch")
            for name in self.figures:
                from_json(float, entry.get(name), source, f"{name} of epoch {number}")
        return history

    def on_train_begin(self, logs=None):
        self.curves = Curves(self.run)
        # Before the first epoch too, so that a run killed in it can be resumed although its checkpoint folder may be
        # gone.
        if not self.history:
            self._save_state()

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()
        seed_layers(self.model, self.seed, epoch)

    def on_epoch_end(self, epoch, logs=None):
        trained = time.perf_counter()
        self._check_weights(epoch)
        with getattr(self.model, "averaged_weights", contextlib.nullcontext)():
            evaluation = self.evaluate()
            entry = {
                "epoch": epoch + 1,
                **{name: float(value) for name, value in (logs or {}).items()},
                **evaluation.metrics,
                "training_seconds": round(trained - self.started, 1),
                "evaluation_seconds": round(time.perf_counter() - trained, 1),
            }
            self.history.append(entry)
            if self.best is entry:
                save_best(self.run, self.model, evaluation)
        if evaluation.metrics.get("predicted") == 0:
            self._warn_about_silence(evaluation)
        atomic_write(self.run.history, "".join(json.dumps(line) + "\n" for line in self.history))
        self._save_state()
        self.curves.write(entry)
        self.model.stop_training = self.stopped_early

    def _check_weights(self, epoch: int) -> None:
        """Raises FloatingPointError where weights are no numbers any more: they stay so, and nothing of them is kept."""
        if all(np.isfinite(value).all() for _, value in named_values(self.model.weights)):
            return
        best = f"; the best before it, epoch {self.best['epoch']}, is kept" if self.history else ""
        raise FloatingPointError(f"weights have become NaN in epoch {epoch + 1}{best}")

    def _save_state(self) -> None:
        groups = {"model": named_values(self.model.weights), "optimizer": named_values(optimizer_state(self.model))}
        save_arrays(self.run.last_state, groups, {"history": self.history})

    def _warn_about_silence(self, averaged: Evaluation) -> None:
        # The commonest complaint about such projects is a score of 0 for hours; say at once what is behind it.
        trained = self.evaluate().metrics["predicted"]
        counts = ", ".join(
            f"{name} {averaged.metrics[name]}" for name in ("predicted", "gold", "correct") if name in averaged.metrics
        )
        advice = " - normal at first; if it stays so, train longer, raise --learning-rate or lower the thresholds"
        tqdm.write(
            f"WARNING: nothing predicted on dev ({counts}; {trained} without the moving average){advice if len(self.history) == 1 else ''}",
            file=sys.stderr,
        )


def optimizer_state(model: keras.Model) -> list[tf.Variable]:
    """What training needs beside the weights to go on exactly."""
    return model.state if hasattr(model, "state") else model.optimizer.variables


def save_best(run: Run, model: keras.Model, evaluation: Evaluation) -> None:
    """Keep the weights the model has now as the best, with what it predicted and got wrong."""
    save_arrays(run.best_weights, {"model": named_values(model.weights)}, evaluation.metrics)
    run.write_json("dev_predictions.json", evaluation.predictions)
    run.write_json("dev_errors.json", evaluation.errors)


def load_best(run: Run, model: keras.Model) -> None:
    """Put the best weights of a run into a model built like the one that was trained. Raises UserError if they do not
    fit."""
    restore(model.weights, run.best_weights, "model")


class Progress(keras.callbacks.Callback):
    """One bar for the whole training, with the time left; where output is no terminal, a line per epoch.

    keep: the callback that evaluates; place `Progress` after it in the list, so that its numbers are there to show.
    unit: what one calls an epoch.
    """

    def __init__(self, keep: KeepRun, unit: str = "epoch"):
        super().__init__()
        self.keep, self.unit = keep, unit

    def on_train_begin(self, logs=None):
        self.begun = time.perf_counter()
        self.done_before = len(self.keep.history)
        steps = self.params["epochs"] * self.params["steps"]
        self.bar = tqdm(
            total=steps,
            initial=self.done_before * self.params["steps"],
            unit="step",
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            smoothing=0.05,
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()
        if batch % 20 == 0:
            self.bar.set_postfix(loss=f"{logs['loss']:.4f}", refresh=False)

    def on_epoch_end(self, epoch, logs=None):
        entry = self.keep.history[-1]
        spent = time.perf_counter() - self.begun
        left = spent / (epoch + 1 - self.done_before) * (self.params["epochs"] - epoch - 1)
        scores = "  ".join(f"{name} {entry[name]:.4f}" for name in self.keep.figures)
        mark = "  * best" if self.keep.best is entry else ""
        line = f"{self.unit} {epoch + 1}/{self.params['epochs']}  loss {entry['loss']:.4f}  dev {scores}{mark}  ({_minutes(spent)} spent, {_minutes(left)} left)"
        self.bar.write(line, file=sys.stdout)
        sys.stdout.flush()

    def on_train_end(self, logs=None):
        self.bar.close()
        if self.model.stop_training and len(self.keep.history) < self.params["epochs"]:
            print(f"stopped early: no better dev score for {self.keep.patience} evaluations")


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@contextlib.contextmanager
def resumable(run: Run) -> Iterator[None]:
    """Around `fit`: Ctrl-C, a terminal that goes away (SIGHUP), SIGTERM and files that cannot be written end it and say
    how to go on; so does the end of another worker, and running out of memory or of numbers says what to do about it. A
    signal that was ignored before (nohup) still is."""
    is_alone = cluster_of().workers == 1
    command = run.resume_command if is_alone else "the same command with --resume, for all workers"
    ends_with = f"nothing but the epoch in progress is lost; continue with: {command}"
    try:
        with stopped_by_signals():
            yield
    except (KeyboardInterrupt, Stopped) as end:
        reason = "" if isinstance(end, KeyboardInterrupt) else f"stopped by {end.signal}: "
        with contextlib.suppress(OSError):  # the terminal is gone
            print(f"\n{reason}{ends_with}", file=sys.stderr)
        raise
    except tf.errors.ResourceExhaustedError:
        raise UserError("out of memory - lower --batch-size or --max-length") from None
    except FloatingPointError as error:
        remedy = "train anew with a lower --learning-rate, or without --mixed-precision"
        raise UserError(f"{run.path}: {error} - {remedy}") from None
    except (tf.errors.UnavailableError, tf.errors.AbortedError):
        raise UserError(f"another worker is gone - {ends_with}") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"{error.filename or run.path}: {error.strerror} - {ends_with}") from None
