"""The words on slides, in English and in Spanish."""

from collections.abc import Callable

# What turns an English phrase, with the values of its {names}, into one of a language.
Translate = Callable[..., str]
LANGUAGES = ("en", "es")

SPANISH = {
    "mean of {n} seeds, band from least to most":
        "media de {n} semillas, banda del mínimo al máximo",
    "epoch": "época",
    "epochs": "épocas",
    "seconds of training": "segundos de entrenamiento",
    "training loss": "pérdida de entrenamiento",
    "training loss at the end": "pérdida de entrenamiento al final",
    "accuracy": "exactitud",
    "test error": "error de prueba",
    "chance": "azar",
    "Images of {dataset} and the labels they are trained with":
        "Imágenes de {dataset} y las etiquetas con las que se entrenan",
    "Training images of {dataset}, augmented (seed {seed})":
        "Imágenes de entrenamiento de {dataset}, con aumento (semilla {seed})",
    "stored": "original",
    "epoch {n}": "época {n}",
    "true labels": "etiquetas verdaderas",
    "partially corrupted labels": "etiquetas parcialmente corrompidas",
    "random labels": "etiquetas al azar",
    "shuffled pixels": "píxeles permutados",
    "random pixels": "píxeles al azar",
    "gaussian": "ruido gaussiano",
    "{setting}: {train} / {test}": "{setting}: {train} / {test}",
    "Training loss, and training / test accuracy at the end":
        "Pérdida, y exactitud de entrenamiento / prueba al final",
    "0 to 255 (raw)": "0 a 255 (sin tratar)",
    "0 to 1": "0 a 1",
    "-1 to 1": "-1 a 1",
    "standardized": "estandarizada",
    "standardized, each image": "estandarizada, cada imagen",
    "norm of the gradient": "norma del gradiente",
    "Training loss, by the scale of the inputs":
        "Pérdida de entrenamiento, según la escala de la entrada",
    "Norm of the gradient, by the scale of the inputs":
        "Norma del gradiente, según la escala de la entrada",
    "batch of {n}": "lote de {n}",
    "all {n} (gradient descent)": "los {n} (descenso de gradiente)",
    "Loss against epochs, by batch size": "Pérdida por época, según el tamaño del lote",
    "Loss against time, by batch size": "Pérdida en el tiempo, según el tamaño del lote",
    "Optimizers at their usual learning rates": "Optimizadores con su tasa de aprendizaje habitual",
    "SGD, learning rate {rate:g}": "SGD, tasa {rate:g}",
    "SGD with momentum {momentum:g}, learning rate {rate:g}":
        "SGD con momento {momentum:g}, tasa {rate:g}",
    "RMSProp, learning rate {rate:g}": "RMSProp, tasa {rate:g}",
    "Adam, learning rate {rate:g}": "Adam, tasa {rate:g}",
    "Too slow, best, divergent: the learning rate":
        "Lenta, mejor, divergente: la tasa de aprendizaje",
    "diverged": "diverge",
    "{n} seeds": "{n} semillas",
    "{n} seed": "{n} semilla",
    "{n} training images": "{n} imágenes de entrenamiento",
    "learning rate": "tasa de aprendizaje",
    "learning rate {rate:g}": "tasa {rate:g}",
    "at the start: ln {classes}": "al inicio: ln {classes}",
    "Loss against epochs, by learning rate": "Pérdida por época, según la tasa de aprendizaje",
    "Training accuracy, by network size": "Exactitud de entrenamiento, según la red",
    "Test accuracy, by network size": "Exactitud de prueba, según la red",
    "hidden layers {sizes}": "capas ocultas {sizes}",
    "Error against the number of training examples":
        "Error según el número de ejemplos de entrenamiento",
    "training examples": "ejemplos de entrenamiento",
    "validation accuracy": "exactitud de validación",
    "chosen": "elegida",
    "training": "entrenamiento",
    "validation": "validación",
    "test, one look": "prueba, una sola vez",
    "Validation chooses learning rate and network":
        "La validación elige la tasa y la red",
    "The chosen setting: {layers}, {rate}": "La configuración elegida: {layers}, {rate}",
    "no augmentation": "sin aumento de datos",
    "augmented: {names}": "con aumento: {names}",
    "{n} examples": "{n} ejemplos",
    "{n} + {k} examples": "{n} + {k} ejemplos",
    "{n} steps": "{n} pasos",
    "steps": "pasos",
    "class {n}": "clase {n}",
    "in distribution": "dentro de la distribución",
    "out of distribution": "fuera de la distribución",
    "in distribution, with {k} from outside": "dentro, con {k} ejemplos de fuera",
    "out of distribution, with {k} from there": "fuera, con {k} ejemplos de allí",
    "out-of-distribution examples": "ejemplos de fuera de la distribución",
    "probability of class 1": "probabilidad de la clase 1",
    "More data helps where the data is": "Más datos ayudan allí donde están los datos",
    "In-distribution accuracy": "Exactitud dentro de la distribución",
    "Out-of-distribution accuracy": "Exactitud fuera de la distribución",
    "What the network answers over the plane": "Lo que la red responde en el plano",
    "test accuracy": "exactitud de prueba",
    "Test accuracy against parameters": "Exactitud de prueba según los parámetros",
    "Test accuracy against operations per image":
        "Exactitud de prueba según las operaciones por imagen",
    "Test accuracy against time per image": "Exactitud de prueba según el tiempo por imagen",
    "millions of parameters (logarithmic)": "millones de parámetros (logarítmico)",
    "million operations (FLOPs) of a forward pass (logarithmic)":
        "millones de operaciones (FLOPs) hacia adelante (logarítmico)",
    "milliseconds of training per image (logarithmic)":
        "milisegundos de entrenamiento por imagen (logarítmico)",
    "VGG-style": "estilo VGG",
    "All-CNN-C": "All-CNN-C",
    "small MobileNet": "MobileNet pequeña",
    "small Inception": "Inception pequeña",
    "small Inception without batch norm": "Inception pequeña sin batch norm",
    "small AlexNet": "AlexNet pequeña",
    "Wide ResNet 28-1": "Wide ResNet 28-1",
    "MLP 1x512": "MLP 1x512",
    "MLP 3x512": "MLP 3x512",
    "Maxout 2x240": "Maxout 2x240",
    "linear": "lineal",
    "error": "error",
    "width of the hidden layer": "anchura de la capa oculta",
    "test error, label noise {noise:g}": "error de prueba, ruido en las etiquetas {noise:g}",
    "training error, label noise {noise:g}":
        "error de entrenamiento, ruido en las etiquetas {noise:g}",
    "training error {error:g}": "error de entrenamiento {error:g}",
    "Double descent: error against width": "Doble descenso: error según la anchura",
    "Double descent in time: error against epochs":
        "Doble descenso en el tiempo: error según las épocas",
    "Early learning with label noise {noise:g}":
        "Aprendizaje temprano con ruido en las etiquetas {noise:g}",
    "wrongly labelled: given their true class": "mal etiquetadas: clase verdadera",
    "wrongly labelled: memorized": "mal etiquetadas: memorizadas",
    "test accuracy, label noise {noise:g}":
        "exactitud de prueba, ruido en las etiquetas {noise:g}",
    "share": "proporción",
    "training, initial weights x {scale:g}": "entrenamiento, pesos iniciales x {scale:g}",
    "test, initial weights x {scale:g}": "prueba, pesos iniciales x {scale:g}",
    "Grokking: it fits first and generalizes late":
        "Grokking: primero ajusta, y tarde generaliza",
    "{label}: error ~ n^-{power:.2f}": "{label}: error ~ n^-{power:.2f}",
}  # fmt: skip


def translator(language: str) -> Translate:
    """Returns what translates phrases into a language of `LANGUAGES`.

    What it returns raises a KeyError where a phrase has no translation.
    """

    def translate(phrase: str, **values: object) -> str:
        text = phrase if language == "en" else SPANISH[phrase]
        return text.format(**values) if values else text

    return translate
