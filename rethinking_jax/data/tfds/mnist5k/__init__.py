"""The embedded data set: 5,000 real MNIST digits, behind a tfds builder."""
