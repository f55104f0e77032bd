"""What do deep networks memorize, and why do they generalize all the same?

Experiments of Zhang, Bengio, Hardt, Recht and Vinyals, *Understanding deep
learning requires rethinking generalization* (ICLR 2017), in JAX and Flax.
"""

__version__ = "0.1.0"
