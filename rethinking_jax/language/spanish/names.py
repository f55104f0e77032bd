"""Words that are the same in English and in Spanish: of methods, data sets, devices and people."""

# Names with a digit, an underscore or two capital letters need not stand here.
NAMES = frozenset((
    "adam", "sgd", "rmsprop", "momentum", "optimizer", "decoupled", "coupled", "C-score",
    "initializer", "pytorch",
    "relu", "tanh", "softmax", "dropout", "mixup",
    "Adam", "Adadelta", "Nesterov", "Inception", "Maxout", "maxout",
    "crop", "flip", "rotate", "color",
    "mlp", "mnist", "cifar", "cpu", "gpu", "tpu", "Intel", "Xeon", "Apple",
    "orbax-checkpoint", "tensorflow-datasets", "ml-collections",
    "jax", "jaxlib", "flax", "optax", "numpy", "python", "Python",
    "Zhang", "Bengio", "Hardt", "Recht", "Vinyals", "Power", "Belkin", "Nakkiran", "Feldman",
    "Krizhevsky", "Arpit", "Rademacher", "Liu", "Yang",
    "et", "al", "Bartlett", "Carlini", "Han", "Kirsch", "Neyshabur", "Patrini", "Reed", "Sabuncu",
    "Srivastava", "Szegedy", "influence.npz",
))  # fmt: skip
