"""Latent variables: choices that nobody has labelled, and gradients through them.

A network that puts a text into one of K classes, or into a few symbols, chooses; and a choice has no derivative. What is
here gets one all the same. E is the expectation over the choice y, drawn from softmax(logits), of some loss f(y):

    softmax(logits + noise) in place of y, relaxed by a temperature     `gumbel.GumbelSoftmax`: biased, little variance
    the same, but y itself is what goes on                              `gumbel.GumbelSoftmax(straight_through=True)`
    f(y) times the gradient of log p(y), less a baseline                `score_function`: unbiased, much variance
    no drawing: the nearest of some vectors, whose gradient is copied   `quantization.VectorQuantization`
    no choice: the mean over all classes, as they are few               `clustering_vae`: exact

docs/latent.md has bias and variance of each, measured.
"""
