"""Optimizers on the `tf_keras` optimizer API, and the one function that turns the training options into one."""

from common.optimizers.adamw import AdamW, WarmupLinearDecay
from common.options import TrainingOptions

__all__ = ["AdamW", "WarmupLinearDecay", "build_optimizer"]


def build_optimizer(options: TrainingOptions, learning_rate: float, steps: int) -> AdamW:
    """AdamW as the flags say, with `learning_rate` at its highest, for a training of `steps` steps in all."""
    return AdamW(
        WarmupLinearDecay(learning_rate, round(options.warmup * steps), steps),
        weight_decay=options.weight_decay,
        global_clipnorm=options.gradient_clipping or None,
        ema_momentum=options.ema_momentum,
    )
