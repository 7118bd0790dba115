"""The run directory (docs/architecture.md): what it holds, how it is written, found, checked and continued.

    runs/<task>/<name>/
      config.json        every setting, package versions, fingerprints and counts of the data
      vocab.txt, ...     all else that predict.py needs: the run stands alone
      best.weights.h5    the weights of the best dev score
      last/state.h5      all that continuing exactly needs
      history.jsonl      one line per evaluation
      tensorboard/       curves
      dev_predictions.json, dev_errors.json

A run may come from anybody: nothing in it is run, no link in it is followed, and what is read is checked against what
it must be (`common.runs.values`) before anything is made of it. One process trains a run at a time, whoever else reads
it (`common.runs.files`). `callbacks`, `choice` and `curves` need TensorFlow, the other modules do not.
"""
