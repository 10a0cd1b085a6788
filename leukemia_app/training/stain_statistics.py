"""Let a backbone's batch normalisation see the stain of a laboratory before anything is trained."""

import keras
import numpy as np

from leukemia_app.training.batches import TrainingSet, disturbed_tensors
from leukemia_app.training.config import RunConfig

N_BATCHES, MOMENTUM = 15, 0.8
"""What is left of the old statistics: 0.8 to the power of 15, a thirtieth."""


def take_statistics(backbone: keras.Model, config: RunConfig, data: TrainingSet) -> None:
    """Replace the means and variances of batch normalisation by those of the training pictures.

    Nothing else of the backbone changes, and no label is looked at but to draw each as often.
    Source: Li et al. 2017, Revisiting batch normalization for practical domain adaptation, arXiv
    1603.04779.
    """
    layers = [
        layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    before = [(layer, layer.trainable) for layer in backbone.layers]
    momenta = [layer.momentum for layer in layers]
    for layer in backbone.layers:
        layer.trainable = layer in layers
    for layer in layers:
        layer.momentum = MOMENTUM
    # A rate of zero: what is trained stays, what is counted moves.
    backbone.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", jit_compile=False)
    rng = np.random.default_rng([config.seed, 6])
    chances = data.chances[data.learn] / data.chances[data.learn].sum()
    for number in range(N_BATCHES):
        rows = rng.choice(data.learn, config.batch_size, p=chances)
        batch = disturbed_tensors(data.pixels, rows, config, [config.seed, 7, number])
        backbone.train_on_batch(batch, np.zeros((len(batch), *backbone.output.shape[1:])))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    for layer, trainable in before:
        layer.trainable = trainable
