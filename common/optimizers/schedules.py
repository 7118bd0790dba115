"""The learning rate over a training: warm-up, then straight lines from point to point, as bert4keras has them."""

from collections.abc import Sequence

from common.keras_compat import keras, tf


@keras.utils.register_keras_serializable("common")
class PiecewiseLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to `peak` in `warmup_steps`, then runs straight from point to point.

    points: (share of all `steps`, share of the peak), the first shares rising to 1, as `common.options.schedule_points`
    reads them. The default falls linearly to 0 at the end. Called with the number of steps done; returns a float32
    scalar.
    """

    def __init__(
        self, peak: float, points: Sequence[tuple[float, float]] = ((1.0, 0.0),), *, steps: int, warmup_steps: int = 0
    ):
        self.peak, self.points, self.steps, self.warmup_steps = (
            peak,
            [tuple(point) for point in points],
            steps,
            warmup_steps,
        )

    def __call__(self, step):
        # Steps count from 0, and the first update must not be lost: step 0 already has one share of the warm-up.
        step = tf.cast(step, tf.float32)
        rising = (step + 1) / max(self.warmup_steps, 1)
        # Each line counts with the part of its fall that is still ahead, so that their sum is the height above the last
        # point.
        begin, height, total = self.warmup_steps, 1.0, self.points[-1][1]
        for share, rate in self.points:
            end = round(share * self.steps)
            ahead = tf.clip_by_value((end - step) / max(end - begin, 1), 0.0, 1.0)
            total += (height - rate) * ahead
            begin, height = end, rate
        return self.peak * tf.minimum(rising, total)

    def get_config(self):
        return {"peak": self.peak, "points": self.points, "steps": self.steps, "warmup_steps": self.warmup_steps}
