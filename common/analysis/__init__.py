"""What a network found out, read from numbers alone: no module here imports TensorFlow."""
