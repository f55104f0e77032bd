"""What is said of training through wrong labels, in Spanish."""

PHRASES = {
    "test acc. at the end": "exactitud de prueba al final",
    "best over epochs": "mejor de las épocas",
    "less plain at the end": "menos el simple al final",
    "less plain stopped early": "menos el simple con parada temprana",
    "wrong labels memorized": "etiquetas equivocadas memorizadas",
    "given their true class": "reciben su clase verdadera",
    "at most": "como máximo",
    "Means over seeds; test labels are the true ones. Less plain: the difference of test "
    "accuracies to plain training, paired over seeds, with its 95 % interval. Plain training is "
    "stopped early in the epoch with the best accuracy on held-out examples with noisy labels. "
    "Best over epochs chooses by the test set, as no one can in practice. Memorized and given "
    "their true class: of the wrongly labelled training examples, at the end and at most.":
        "Medias sobre las semillas; las etiquetas de prueba son las verdaderas. Menos el simple: "
        "la diferencia de exactitudes de prueba con el entrenamiento simple, pareada por semilla, "
        "con su intervalo del 95 %. El entrenamiento simple se detiene antes en la época con la "
        "mejor exactitud en ejemplos apartados con etiquetas ruidosas. Mejor de las épocas elige "
        "según el conjunto de prueba, como nadie puede hacerlo en la práctica. Memorizadas y "
        "reciben su clase verdadera: de los ejemplos de entrenamiento mal etiquetados, al final y "
        "como máximo.",
    "Training through wrong labels": "Entrenar a pesar de etiquetas equivocadas",
    "Test accuracy while training: {name}": "Exactitud de prueba durante el entrenamiento: {name}",
    "On the true labels of the test set.": "Con las etiquetas verdaderas del conjunto de prueba.",
    "Early learning and memorization of plain training: {name}":
        "Aprendizaje temprano y memorización del entrenamiento simple: {name}",
    "Of the wrongly labelled training examples: at first many are given their true class, later "
    "the label that they have.":
        "De los ejemplos de entrenamiento mal etiquetados: al principio muchos reciben su clase "
        "verdadera, después la etiqueta que tienen.",
    "share of the wrongly labelled examples": "proporción de los ejemplos mal etiquetados",
    "memorized": "memorizados",
    "{dataset}: {n:d} training images, {held:d} held out with noisy labels, {test:d} test images "
    "with true ones":
        "{dataset}: {n} imágenes de entrenamiento, {held} apartadas con etiquetas ruidosas, "
        "{test} de prueba con las verdaderas",
    "{model} {sizes}, {optimizer}, learning rate {rate:g}, batches of {batch:d}, {epochs:d} "
    "epochs; {seeds:d} seeds, each with labels of its own, which all methods share; plain "
    "training also on true labels":
        "{model} {sizes}, {optimizer}, tasa de aprendizaje {rate}, lotes de {batch}, {epochs} "
        "épocas; {seeds} semillas, cada una con etiquetas propias, que comparten todos los "
        "métodos; el entrenamiento simple también con etiquetas verdaderas",
    # Distance from the start.
    "Distance of the weights from their start, by train accuracy":
        "Distancia de los pesos a su inicio, según la exactitud de entrenamiento",
    "Plain training; where the accuracy on the labels that it trains on is first reached, "
    "interpolated between measured epochs.":
        "Entrenamiento simple; donde se alcanza por primera vez la exactitud en las etiquetas con "
        "las que entrena, interpolado entre épocas medidas.",
    "distance of the weights from their start": "distancia de los pesos a su inicio",
    "At equal train accuracy plain training is farther from its start on wrong labels than on "
    "true ones.":
        "Con igual exactitud de entrenamiento, el entrenamiento simple está más lejos de su "
        "inicio con etiquetas equivocadas que con las verdaderas.",
    "Li, Soltanolkotabi and Oymak 2020": "Li, Soltanolkotabi y Oymak 2020",
    "A bound for clusterable data, without a number for these.":
        "Una cota para datos que forman cúmulos, sin un número para estos.",
    "{name} not at any accuracy that all runs pass":
        "{name}, con ninguna exactitud por la que pasen todos los entrenamientos",
    "{name} {value:g} times as far ({low:g} to {high:g}) at train accuracy {first:g} to {last:g}":
        "{name}: {value} veces la distancia ({low} a {high}) con exactitud de entrenamiento de "
        "{first} a {last}",
    "Needs {method} on wrong and on true labels, with 2 seeds that pass an accuracy.":
        "Se necesita {method} con etiquetas equivocadas y verdaderas, con 2 semillas que pasen "
        "por una misma exactitud.",
    "Mean over {n:d} seeds with its 95 % interval: {list}.":
        "Media sobre {n} semillas con su intervalo del 95 %: {list}.",
    # Claims.
    "the papers of the methods": "los artículos de los métodos",
    "Liu et al. 2020, Table 1": "Liu et al. 2020, Tabla 1",
    "Signs only: data, networks and strengths differ from theirs.":
        "Solo signos: los datos, las redes y las intensidades difieren de los suyos.",
    "Plain training ends below its best test accuracy: to memorize wrong labels costs.":
        "El entrenamiento simple termina por debajo de su mejor exactitud de prueba: memorizar "
        "etiquetas equivocadas cuesta.",
    "Needs {method} on wrong labels, with at least 2 seeds.":
        "Se necesita {method} con etiquetas equivocadas, con al menos 2 semillas.",
    "Needs {method} on wrong labels.": "Se necesita {method} con etiquetas equivocadas.",
    "Best less last, mean over seeds with its 95 % interval: {list}.":
        "Mejor menos última, media sobre las semillas con su intervalo del 95 %: {list}.",
    "At first plain training gives wrongly labelled examples their true class; in the end more of "
    "them are memorized than that.":
        "Al principio el entrenamiento simple da a los ejemplos mal etiquetados su clase "
        "verdadera; al final se memorizan más de ellos.",
    "{n:d} of {count:d} runs. {list}.": "{n} de {count} entrenamientos. {list}.",
    "{name}: given their true class {most:g} at most and {last:g} at the end, memorized "
    "{memorized:g}":
        "{name}: reciben su clase verdadera {most} como máximo y {last} al final, memorizados "
        "{memorized}",
    "Every method ends above plain training on at least one kind of noise.":
        "Todo método termina por encima del entrenamiento simple con al menos un tipo de ruido.",
    "Needs {method} and another method, with at least 2 seeds.":
        "Se necesitan {method} y otro método, con al menos 2 semillas.",
    "Needs {method} and another method.": "Se necesitan {method} y otro método.",
    "{method} on {noise} {value:g}": "{method} con {noise} {value}",
    "Surely above (Holm over {n:d} comparisons): {list}. On no kind of noise: {without}.":
        "Con seguridad por encima (Holm sobre {n} comparaciones): {list}. Con ningún tipo de "
        "ruido: {without}.",
    "Where a method ends above plain training it memorizes fewer wrong labels.":
        "Donde un método termina por encima del entrenamiento simple, memoriza menos etiquetas "
        "equivocadas.",
    "No method ends above plain training with every seed.":
        "Ningún método termina por encima del entrenamiento simple con todas las semillas.",
    "{n:d} of {count:d} end above it with every seed; of these {list} memorize as many or more.":
        "{n} de {count} terminan por encima con todas las semillas; de estos, memorizan igual o "
        "más: {list}.",
    "Where labels become the next class, generalized cross-entropy ends below plain training.":
        "Donde las etiquetas pasan a ser la clase siguiente, la entropía cruzada generalizada "
        "termina por debajo del entrenamiento simple.",
    "Needs {one}, {two} and {three}, 2 seeds or more.":
        "Se necesitan {one}, {two} y {three}, 2 semillas o más.",
    "Test accuracy at the end, less that of plain training: {value} over {n:d} seeds.":
        "Exactitud de prueba al final, menos la del entrenamiento simple: {value} sobre {n} "
        "semillas.",
    "ResNet-34 on CIFAR-10, 40 % of the labels of similar classes: 76.74 and 80.11 (Liu et al. "
    "2020, Table 1, after one translation).":
        "ResNet-34 en CIFAR-10, 40 % de las etiquetas de clases parecidas: 76.74 y 80.11 (Liu et "
        "al. 2020, Tabla 1, tras una conversión).",
    "On every kind of noise some method ends above plain training that is stopped early on noisy "
    "held-out labels.":
        "Con cada tipo de ruido algún método termina por encima del entrenamiento simple con "
        "parada temprana según etiquetas ruidosas apartadas.",
    "{noise}: {method} {value:g} ({low:g} to {high:g})":
        "{noise}: {method} {value} ({low} a {high})",
    "The best method less plain training stopped early: {list}. Surely above (Holm over {n:d}): "
    "{sure}.":
        "El mejor método menos el entrenamiento simple con parada temprana: {list}. Con seguridad "
        "por encima (Holm sobre {n}): {sure}.",
    "Wrong labels that people gave are memorized earlier than as many that are drawn at random.":
        "Las etiquetas equivocadas que dieron personas se memorizan antes que otras tantas "
        "sorteadas al azar.",
    "Needs {method} on given labels, and on labels drawn at random of which as many are wrong "
    "(within {rate:g}), with at least 2 seeds.":
        "Se necesita {method} con etiquetas dadas, y con etiquetas sorteadas al azar de las que "
        "otras tantas estén equivocadas (a menos de {rate}), con al menos 2 semillas.",
    "Half of the wrong labels of {names} are not memorized by every run.":
        "No todos los entrenamientos memorizan la mitad de las etiquetas equivocadas de {names}.",
    "Half of the wrong labels are memorized after {first:g} epochs ({name}) and {second:g} "
    "({other}); the difference is {value:g} ({low:g} to {high:g}, 95 % over {n:d} seeds).":
        "La mitad de las etiquetas equivocadas se memoriza tras {first} épocas ({name}) y "
        "{second} ({other}); la diferencia es {value} ({low} a {high}, 95 % sobre {n} semillas).",
}  # fmt: skip
