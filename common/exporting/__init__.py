"""A trained network for programs that are not this one: checkpoints under the names of others, and graphs of TensorFlow."""
