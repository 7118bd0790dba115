"""common is a library: importing it changes nothing, and what keeps a run works with any Keras model, as its README
shows."""

import json
import re
import runpy
import subprocess
import sys

from competition import ROOT
from workshop import arrays, without_seconds

IMPORT_ALL = """
import ctypes, importlib, os, pkgutil, sys

touched = []
for module, name in ((os, "dup2"), (ctypes.CDLL, "__init__")):
    def watched(*arguments, original=getattr(module, name), name=name, **options):
        if name != "__init__" or "libc.so.6" in map(str, arguments):
            touched.append(name)
        return original(*arguments, **options)
    setattr(module, name, watched)

import common
for found in pkgutil.walk_packages(common.__path__, "common."):
    importlib.import_module(found.name)

from tensorflow.python.framework import ops
import tf_keras
print(touched)
print(ops.gradient_registry._registry["BiasAdd"]["type"].__module__)
print(tf_keras.backend.experimental.is_tf_random_generator_enabled(), tf_keras.mixed_precision.global_policy().name)
"""


def test_importing_every_module_changes_nothing():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "tensorflow.python.ops.nn_grad", "False float32"]


def test_a_plain_keras_model_resumes_exactly_as_the_readme_shows(tmp_path, monkeypatch):
    readme = (ROOT / "common/README.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)

    def train(run, epochs):
        script = tmp_path / f"{run}.py"
        script.write_text(
            example.replace("lengths/first", f"lengths/{run}").replace(
                "EPOCHS, SEED, RUN = 4,", f"EPOCHS, SEED, RUN = {epochs},"
            ),
            "utf-8",
        )
        runpy.run_path(str(script))
        return tmp_path / "runs/lengths" / run

    whole = train("whole", 4)
    assert len(without_seconds(whole)) == 4
    train("broken", 2)
    broken = train("broken", 4)
    assert without_seconds(broken) == without_seconds(whole)
    for name in ("last/state.h5", "best.weights.h5"):
        assert arrays(broken / name) == arrays(whole / name) and arrays(whole / name)
    assert json.loads((whole / "config.json").read_text("utf-8"))["settings"] == {}
