"""The end of a training: the best weights, and the settings of decoding that are best with them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from common.dev_search import Found, described
from common.keras_compat import keras
from common.runs.callbacks import KeepRun, load_best, save_best
from common.runs.directory import Evaluation


def choose_on_dev(
    keep: KeepRun,
    model: keras.Model,
    settings: NamedTuple,
    search: Callable[[], tuple[Found, Evaluation]] | None = None,
) -> dict[str, Any]:
    """Give the model its best weights and search the settings of decoding with them; print what they reach on dev.

    settings: those that every epoch was evaluated with. search: finds better ones, and evaluates them; None: these are
    to stay. What it finds is kept in the run. Returns the `run` folder and the figures of what predict.py will use.
    """
    load_best(keep.run, model)
    best = {name: keep.best[name] for name in keep.figures}
    print(f"\nbest dev {_figures(best)} in epoch {keep.best['epoch']}, with {described(settings)}")
    if search and best[keep.monitor] > 0:  # before it has learned anything, there is nothing to choose by
        found, evaluation = search()
        save_best(keep.run, model, evaluation)
        keep.run.write_decoding(found.setting)
        best = {name: evaluation.metrics[name] for name in keep.figures}
        print(f"    dev {_figures(best)} with {described(found.setting)}, searched on dev")
        print(
            f"    dev {keep.monitor} {found.crossed:.4f} with settings searched on one half of dev, scored on the other: what to expect on test"
        )
    return {"run": keep.run.path, **best}


def _figures(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in values.items())
