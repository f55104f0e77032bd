"""What our runs say of the paper's claims, in Spanish."""

PHRASES = {
    # What is missing.
    "Needs {what}.": "Hace falta: {what}.",
    "a data set that the paper fits exactly, not ImageNet":
        "un conjunto de datos que el artículo ajusta por completo, no ImageNet",
    "at least two settings": "al menos dos variantes",
    "runs on random labels": "entrenamientos con etiquetas al azar",
    "runs on true labels": "entrenamientos con etiquetas verdaderas",
    "runs on true labels and on random labels":
        "entrenamientos con etiquetas verdaderas y con etiquetas al azar",
    "the number of classes in summary.json": "el número de clases en summary.json",
    "true labels, random labels and partially corrupted labels":
        "etiquetas verdaderas, al azar y parcialmente corrompidas",
    "runs that are measured after every epoch (measure_every=1)":
        "entrenamientos que se midan en cada época (measure_every=1)",
    "true and random labels that are both fitted by every seed":
        "etiquetas verdaderas y al azar que ajusten todas las semillas",
    "at least three levels of label noise": "al menos tres niveles de ruido en las etiquetas",
    "at least three levels of label noise that every seed fits":
        "al menos tres niveles de ruido en las etiquetas que ajusten todas las semillas",
    "at least three levels of label noise, 1.0 among them":
        "al menos tres niveles de ruido en las etiquetas, entre ellos 1.0",
    "{before}, and {after}": "{before}, y {after}",
    "the small Inception on CIFAR-10, or on as much Gaussian noise":
        "la Inception pequeña con CIFAR-10, o con otro tanto de ruido gaussiano",
    "random labels on ImageNet (imagenet2012) without regularizers":
        "etiquetas al azar en ImageNet (imagenet2012) sin regularizadores",
    "all {whole:,} training images of ImageNet: here {n:g}":
        "las {whole} imágenes de entrenamiento de ImageNet: aquí {n}",
    "random labels and top-5 accuracy (data sets of 100 classes or more)":
        "etiquetas al azar y exactitud top-5 (datos de 100 clases o más)",
    "random labels with a regularizer": "etiquetas al azar con un regularizador",
    "random labels with weight decay alone": "etiquetas al azar con solo decaimiento de pesos",
    "true labels with a regularizer and without any":
        "etiquetas verdaderas con un regularizador y sin ninguno",
    "true labels, several epochs, without augmentation":
        "etiquetas verdaderas, varias épocas, sin aumento de datos",
    "true labels with augmentation alone and with weight decay alone":
        "etiquetas verdaderas con solo aumento de datos y con solo decaimiento de pesos",
    "true labels of two models without regularizers, the weaker one with one too":
        "etiquetas verdaderas de dos modelos sin regularizadores, el más débil también con uno",
    "true labels, no regularizer, inception_small and inception_small_no_bn":
        "etiquetas verdaderas, sin regularizador, inception_small e inception_small_no_bn",
    "five epochs of each": "cinco épocas de cada una",
    # What their numbers are of.
    "{least} to {most:g} seeds": "de {least} a {most} semillas",
    "label smoothing {value:g}": "suavizado de etiquetas {value}",
    "all models": "todos los modelos",
    # Fitting.
    "{fitted:g} of {all:g} settings are fitted by every seed: train accuracy {which}; the lowest "
    "that a run reaches is {lowest:g}":
        "{fitted} de {all} variantes las ajustan todas las semillas: exactitud de entrenamiento "
        "{which}; la más baja que alcanza un entrenamiento es {lowest}",
    "{fitted:g} of {all:g} settings are fitted by every seed: train accuracy {which}; the lowest "
    "that a run reaches is {lowest:g}; not: {names}":
        "{fitted} de {all} variantes las ajustan todas las semillas: exactitud de entrenamiento "
        "{which}; la más baja que alcanza un entrenamiento es {lowest}; no se ajusta: {names}",
    "at least {value}": "al menos {value}",
    "at least {value} on {names}": "al menos {value} con {names}",
    "{value:g} (printed as {percent:g} %)": "{value} (que se imprime como {percent} %)",
    "{value:g} (printed as {percent:g} % like the paper's {theirs:g})":
        "{value} (que se imprime como {percent} %, igual que el {theirs} del artículo)",
    "{reached:g} of {all:g} runs reach train accuracy {threshold}; train accuracy at the end "
    "{values}":
        "{reached} de {all} entrenamientos alcanzan una exactitud de entrenamiento de {threshold}; "
        "exactitud de entrenamiento al final {values}",
    # Chance.
    "Test accuracy {values}; chance is {chance}":
        "Exactitud de prueba {values}; el azar da {chance}",
    "{mean:g} ± {allowed:g}, three standard deviations {of}":
        "{mean} ± {allowed}, tres desviaciones estándar {of}",
    "of independent answers": "de respuestas independientes",
    "over epochs and seeds, {wandering:g} each": "entre épocas y semillas, {wandering} cada una",
    "Test accuracy {values}; chance is {chance:g}, at least {bound:g} counts as well above it":
        "Exactitud de prueba {values}; el azar da {chance}, desde {bound} cuenta como muy por "
        "encima",
    "Test accuracy on true labels {high:g}, with label noise {noise:g} {middle:g}, on random "
    "labels {low:g}":
        "Exactitud de prueba con etiquetas verdaderas {high}, con ruido en las etiquetas {noise} "
        "{middle}, con etiquetas al azar {low}",
    # Time.
    "training loss {loss:g}": "pérdida de entrenamiento {loss}",
    "a mean training loss of {loss:g} within an epoch":
        "una pérdida media de {loss} dentro de una época",
    "steps to {reached}": "pasos hasta {reached}",
    "steps to training loss {loss:g}: {times}":
        "pasos hasta una pérdida de entrenamiento de {loss}: {times}",
    "steps to fit by train accuracy {level:g}":
        "pasos hasta ajustar, por exactitud de entrenamiento {level}",
    "steps to fit by train accuracy {level:g}, the highest level that all runs reach":
        "pasos hasta ajustar, por exactitud de entrenamiento {level}, el nivel más alto que todos "
        "los entrenamientos alcanzan",
    "never": "nunca",
    "{what} never": "{what} nunca",
    "{times}: what was never fitted has no place in the order.":
        "{times}: lo que nunca se ajustó no tiene lugar en el orden.",
    "{ratio:g} times as long: {random:,} against {true:,} {measure}":
        "{ratio} veces el tiempo: {random} frente a {true} {measure}",
    "From {first:,} at label noise {low:g} to {last:,} at {high:g} ({measure}); rank correlation "
    "{correlation:g} over {n:g} levels":
        "De {first} con ruido en las etiquetas {low} a {last} con {high} ({measure}); correlación "
        "de rangos {correlation} entre {n} niveles",
    "not fitted by every seed at {levels}": "no lo ajustan todas las semillas con {levels}",
    "Test error from {first:g} at label noise {low:g} to {last:g} at 1, against {labels}; chance "
    "is {chance}; rank correlation {correlation:g}":
        "Error de prueba de {first} con ruido en las etiquetas {low} a {last} con 1, frente a "
        "{labels}; el azar da {chance}; correlación de rangos {correlation}",
    "true test labels": "etiquetas de prueba verdaderas",
    "equally corrupted test labels": "etiquetas de prueba igual de corrompidas",
    "pair flip": "etiquetas cambiadas por pareja",
    "given labels": "etiquetas dadas",
    "{setting} never the true class": "{setting}, nunca la clase verdadera",
    "label noise {level:g}": "ruido en las etiquetas {level}",
    # The paper's curve.
    "not there yet": "aún sin llegar",
    "{times:g} times the steps": "{times} veces los pasos",
    "{steps} to loss {loss:g}": "{steps} hasta la pérdida {loss}",
    "a mean factor of {factor:g} at {n:g} equal losses":
        "un factor medio de {factor} en {n} pérdidas iguales",
    "{text} (of the fixed network {factor:g})": "{text} (de la red fija {factor})",
    "Against the paper's curve, {text}. Up to a mean factor of {factor:g} agrees":
        "Frente a la curva del artículo, {text}. Hasta un factor medio de {factor} coincide",
    # Regularizers.
    "no regularizer": "sin regularizador",
    "weight decay": "decaimiento de pesos",
    "augmentation": "aumento de datos",
    "dropout": "dropout",
    "mixup": "mixup",
    "sharpness-aware": "SAM (agudeza)",
    "{one} + {other}": "{one} + {other}",
    "{value:g} points": "{value} puntos",
    "a difference of {value}": "una diferencia de {value}",
    "one seed each and no interval": "una semilla de cada uno y sin intervalo",
    "95 % interval {low:g} to {high:g}, over {of}":
        "intervalo del 95 % de {low} a {high}, sobre {of}",
    "{text}: too little to tell from zero": "{text}: muy poco para distinguirla de cero",
    "seeds": "semillas",
    "test set": "conjunto de prueba",
    "both sets": "ambos conjuntos",
    "pairs": "parejas",
    "examples": "ejemplos",
    "Train accuracy top-1 {values}": "Exactitud de entrenamiento top-1 {values}",
    "at least {value:g} in top-1 counts as fitted": "desde {value} en top-1 cuenta como ajustado",
    "Test accuracy with {told}": "Exactitud de prueba, {told}",
    "{name} {values} (chance {chance})": "{name} {values} (el azar da {chance})",
    "{value:g}, which is fitted without any": "{value}, lo que se ajusta sin ninguno",
    "1.0, for none ran without": "1.0, pues ninguno se entrenó sin ellos",
    "Train accuracy on random labels: {told}. Fitted means at least {share:g} times {against}":
        "Exactitud de entrenamiento con etiquetas al azar: {told}. Ajustado significa al menos "
        "{share} veces {against}",
    "Test accuracy: {told}; chance is {chance:g}, at least {bound:g} counts as well above it":
        "Exactitud de prueba: {told}; el azar da {chance}, desde {bound} cuenta como muy por "
        "encima",
    "{gain} with {names} (best {best}, end {end}; noise alone up to {noise})":
        "{gain} con {names} (mejor {best}, final {end}; el ruido solo, hasta {noise})",
    "{gain} with no regularizer (best {best}, end {end}; noise alone up to {noise})":
        "{gain} sin regularizador (mejor {best}, final {end}; el ruido solo, hasta {noise})",
    "It would have won {told}; {least} with every seed count, and more than noise":
        "Habría ganado {told}; cuentan {least} con cada semilla, y más que el ruido",
    "The paper says so of ImageNet and not of CIFAR-10.":
        "El artículo lo dice de ImageNet y no de CIFAR-10.",
    "Test accuracy: {best} with {ours}; nearest to it of {n:g} regularized others: {name} with "
    "{theirs}; {told}":
        "Exactitud de prueba: {best}, {ours}; el más cercano de los otros con "
        "regularizador ({n}): {name}, {theirs}; {told}",
    "Test accuracy: {told}": "Exactitud de prueba: {told}",
    "learning rates {one:g} and {other:g}": "tasas de aprendizaje {one} y {other}",
    "95 % interval of the difference {low:g} to {high:g}, over {of}":
        "intervalo del 95 % de la diferencia de {low} a {high}, sobre {of}",
    "Mean second difference of test accuracy over {epochs:g} epochs: {having:g} with and "
    "{lacking:g} without batch norm ({interval})":
        "Media de la segunda diferencia de la exactitud de prueba en {epochs} épocas: {having} con "
        "batch norm y {lacking} sin ella ({interval})",
    "Test accuracy {having} with and {lacking} without batch norm; {told}; more than {points} "
    "would be a lot":
        "Exactitud de prueba {having} con batch norm y {lacking} sin ella; {told}; más de {points} "
        "sería mucho",
}  # fmt: skip
