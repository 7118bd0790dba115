"""What `start_tensorflow` leaves out to be quick, and that nothing is missing afterwards."""

import subprocess
import sys

from competition import ROOT

STARTED = """
import gc, sys
from common.process import start_tensorflow
start_tensorflow()
print([name for name in sys.modules if name.split(".")[0] in ("scipy", "PIL")], gc.isenabled(), gc.get_freeze_count() > 100_000)

from common.keras_compat import keras, tf

class Watched(keras.layers.Layer):
    def call(self, inputs):
        print(tf.__internal__.autograph.control_status_ctx().status.name)
        return inputs

Watched()(keras.Input((3,)))

@tf.function
def sign(number):  # what a user has written for autograph still is converted
    if number > 0:
        return 1
    return -1

print(sign(tf.constant(2.0)).numpy(), sign(tf.constant(-2.0)).numpy())
from scipy.special import expit
from PIL import Image
print(expit(0.0))
"""


def test_a_quick_start_leaves_nothing_out_for_good(tmp_path):
    script = tmp_path / "started.py"  # a file, since autograph reads sources
    script.write_text(STARTED, "utf-8")
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
    assert done.stderr == "" and done.returncode == 0
    assert done.stdout.splitlines() == ["[] True True", "DISABLED", "1 -1", "0.5"]
