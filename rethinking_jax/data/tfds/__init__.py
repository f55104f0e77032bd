"""Sets of tensorflow_datasets: prepared once, read without TensorFlow."""
