"""Optimizers on the `tf_keras` optimizer API, the training step, and the one function that turns the training options
into an optimizer.

Formula, source and reasons are in the module of each technique. All work together, inside `fit`, in 16 bits and under
`tf.distribute`, and are resumed exactly; `common.options.check_combination` refuses what makes no sense. Cost is that
of a training step against the plain one.

| technique | flag | where | module: formula or source | cost | when |
|---|---|---|---|---|---|
| AdamW | --optimizer adamw | all | `adamw`: Loshchilov and Hutter 2019 | two copies of the weights | always |
| AdaFactor | --optimizer adafactor | all | `adafactor`: Shazeer and Stern 2018 | rows + columns of a matrix | no memory for Adam |
| schedule | --warmup --schedule | all | `schedules`: straight lines between points | none | always; stay high for long, end low |
| weight decay | --weight-decay | all | `variable_settings`: Loshchilov and Hutter 2019 | none | always; spares biases, norms, embeddings |
| gradient clipping | --gradient-clipping | all | `variable_settings`: g min(1, c / norm of all g) | none | always |
| layer-wise rates | --layer-decay | transformers: others have no names for layers | `layerwise`: rate decay^(L - i) | none | few examples |
| moving average | --ema-momentum | all | `moving_average`: a <- m a + (1 - m) w | a copy of the weights | always |
| Lookahead | --lookahead-steps --lookahead-alpha | all | `lookahead`: s <- s + alpha (w - s); w <- s | a copy of the weights | steps that swing |
| lazy embeddings | --lazy-embeddings | all but titling: its tables are tied | `variable_settings`: only rows it holds | less than none | rare words, entities |
| accumulation | --accumulation-steps | all | `accumulation`: gradients of n batches are one | a copy of the weights | no memory for the batch |
| recompute | --recompute | transformers: light encoders are small | `recompute`: Chen et al. 2016 | time, for memory | long texts |
| mixed precision | --mixed-precision | all | `keras_compat`: 16 bits, heads and losses 32 | none, or less | hardware that has it |
| FGM | --fgm | all | `adversarial`: + g(table + epsilon g / norm) | a second pass | few examples |
| R-Drop | --r-drop | all with dropout: it compares two | `training_model`: + alpha / 4 (KL + KL) | a second pass | few examples |
| flooding | --flooding | all | `training_model`: (loss - b) turned positive, + b | none | dev gets worse, train not |
| logit adjustment | --logit-adjustment | relation, event, nl2sql: the others have no classes | `common.losses`: f + tau log p | none | rare classes |
"""

from common.optimizers.adafactor import Adafactor
from common.optimizers.adamw import AdamW
from common.optimizers.lookahead import Lookahead
from common.optimizers.moving_average import ExponentialMovingAverage
from common.optimizers.schedules import PiecewiseLinear
from common.optimizers.training_model import TrainingModel
from common.options import TrainingOptions, schedule_points

__all__ = [
    "Adafactor",
    "AdamW",
    "ExponentialMovingAverage",
    "Lookahead",
    "PiecewiseLinear",
    "TrainingModel",
    "build_optimizer",
]

_OPTIMIZERS = {"adamw": AdamW, "adafactor": Adafactor}


def build_optimizer(options: TrainingOptions, learning_rate: float, batches_per_epoch: int) -> AdamW | Adafactor:
    """The optimizer that the flags say, for a training of `options.epochs` epochs of so many batches. learning_rate:
    the highest one, where the flags give none."""
    steps = -(-batches_per_epoch // options.accumulation_steps) * options.epochs
    return _OPTIMIZERS[options.optimizer](
        PiecewiseLinear(
            options.learning_rate or learning_rate,
            schedule_points(options.schedule),
            steps=steps,
            warmup_steps=round(options.warmup * steps),
        ),
        weight_decay=options.weight_decay,
        layer_decay=options.layer_decay,
        lazy=options.lazy_embeddings,
        global_clipnorm=options.gradient_clipping or None,
        lookahead_steps=options.lookahead_steps,
        lookahead_alpha=options.lookahead_alpha,
        ema_momentum=options.ema_momentum,
    )
