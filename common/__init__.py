"""Shared rooms of the baselines: a library of functions and Keras layers, never a framework."""
