"""Words that several experiments of theory have in common, in Spanish."""

PHRASES = {
    # Facts.
    "images": "imágenes",
    "{dataset}: {train:d} training, {test:d} test images":
        "{dataset}: {train} imágenes de entrenamiento, {test} de prueba",
    # Columns.
    "labels": "etiquetas",
    "labels and images": "etiquetas e imágenes",
    "parameters": "parámetros",
    "network": "red",
    "seed": "semilla",
    "draws": "sorteos",
    "from": "desde",
    "to": "hasta",
    "difference": "diferencia",
    "fitted": "ajustadas",
    "norm": "norma",
    "train error": "error de entrenamiento",
    "train loss": "pérdida de entrenamiento",
    "test loss": "pérdida de prueba",
    "train accuracy": "exactitud de entrenamiento",
    "estimate": "estimación",
    "standard error": "error estándar",
    "95 % interval": "intervalo del 95 %",
    # What curves and sentences say of seeds, draws and intervals.
    "mean over seeds, band from least to most":
        "media sobre las semillas, banda del mínimo al máximo",
    "mean of {n} draws, band from least to most":
        "media de {n} sorteos, banda del mínimo al máximo",
    "{n:d} draws": "{n} sorteos",
    "{value:g} ({low:g} to {high:g}, 95 % over {count:d} seeds)":
        "{value} ({low} a {high}, 95 % sobre {count} semillas)",
    "{name}, {count:d} examples": "{name}, {count} ejemplos",
    # Places and papers.
    "not a claim of a paper": "no lo afirma ningún artículo",
    "section 5": "sección 5",
    "section 2.2": "sección 2.2",
    "No number in the paper.": "El artículo no da un número.",
    "Needs true_labels and random_labels.": "Se necesitan true_labels y random_labels.",
    # What runs are called, where it is the name of a setting.
    "true_labels": "etiquetas verdaderas",
    "random_labels": "etiquetas al azar",
    "partially_corrupted_labels": "etiquetas parcialmente corrompidas",
    "shuffled_pixels": "píxeles permutados",
    "random_pixels": "píxeles al azar",
    "random_values": "valores al azar",
    # Experiments, in the title of their report.
    "identity": "identidad",
    "norms": "normas",
    "stability": "estabilidad",
    "shattering": "fragmentación",
}  # fmt: skip
