"""What a network found out: read from numbers alone (`trees`), or asked of the network itself (`integrated_gradients`,
which imports TensorFlow)."""
