"""What is said of the norms and margins of networks that fit, in Spanish."""

PHRASES = {
    "measure": "medida",
    "distance from the start": "distancia desde el inicio",
    "spectral complexity": "complejidad espectral",
    "path norm": "norma de caminos",
    "spectral complexity over margin": "complejidad espectral entre margen",
    "path norm over margin": "norma de caminos entre margen",
    "product of spectral norms": "producto de las normas espectrales",
    "product of spectral norms over margin": "producto de las normas espectrales entre margen",
    "sum of stable ranks": "suma de los rangos estables",
    "margin": "margen",
    "random over true labels": "al azar / verdaderas",
    "power of n, true labels": "potencia de n, etiquetas verdaderas",
    "power of n, random labels": "potencia de n, etiquetas al azar",
    "Kendall's tau with the gap": "tau de Kendall con la brecha",
    "Random over true labels: geometric mean over numbers of examples n, widths and seeds of "
    "pairs of networks that share all but their labels. Power of n: the slope of the logarithm of "
    "a measure against that of n. Each with its 95 % interval over seeds. Kendall's tau is over "
    "all networks, those on partly random labels included, between the measure and train accuracy "
    "less test accuracy on true labels.":
        "Al azar / verdaderas: media geométrica, sobre números de ejemplos n, anchuras y "
        "semillas, de parejas de redes que comparten todo salvo sus etiquetas. Potencia de n: la "
        "pendiente del logaritmo de una medida respecto del de n. Cada una con su intervalo del "
        "95 % sobre las semillas. La tau de Kendall es sobre todas las redes, incluidas las de "
        "etiquetas en parte al azar, entre la medida y la exactitud de entrenamiento menos la de "
        "prueba con etiquetas verdaderas.",
    "Means over the seeds that fit, each where its training loss first is small enough; fitted: "
    "how many do.":
        "Medias sobre las semillas que ajustan, cada una donde su pérdida de entrenamiento es por "
        "primera vez lo bastante pequeña; ajustadas: cuántas lo logran.",
    "True against random labels": "Etiquetas verdaderas frente a etiquetas al azar",
    "{name}, width {width:d}": "{name}, anchura {width}",
    "{measure} of fitted networks": "{measure} de redes que ajustan",
    "Where the training loss first is small enough, alike for all labels.":
        "Donde la pérdida de entrenamiento es por primera vez lo bastante pequeña, igual para "
        "todas las etiquetas.",
    "Margins of fitted networks, and the same over the spectral complexity":
        "Márgenes de redes que ajustan, y los mismos entre la complejidad espectral",
    "A mark for each network: the 10th percentile of its training margins, across as it is and up "
    "normalized (Bartlett et al. 2017).":
        "Una marca por red: el percentil 10 de sus márgenes de entrenamiento, en horizontal tal "
        "cual y en vertical normalizado (Bartlett et al. 2017).",
    "normalized margin": "margen normalizado",
    "{n:d} examples, width {width:d}, seed {seed:d}":
        "{n} ejemplos, anchura {width}, semilla {seed}",
    "{dataset}: {sizes} of {n:d} training examples, drawn by seed, {test:d} test images":
        "{dataset}: {sizes} de {n} ejemplos de entrenamiento, sorteados con la semilla, {test} "
        "imágenes de prueba",
    "MLPs with one hidden layer of {widths} units, {optimizer}, learning rate {rate:g}, batches "
    "of {batch:d}, {epochs:d} epochs, {seeds:d} seeds; each is measured where its training loss "
    "first is {loss:g} or less":
        "MLP con una capa oculta de {widths} unidades, {optimizer}, tasa de aprendizaje {rate}, "
        "lotes de {batch}, {epochs} épocas, {seeds} semillas; cada una se mide donde su pérdida "
        "de entrenamiento es por primera vez {loss} o menos",
    # Claims.
    "Neyshabur et al. 2017": "Neyshabur et al. 2017",
    "Bartlett et al. 2017": "Bartlett et al. 2017",
    "Signs only: data and networks differ from theirs.":
        "Solo signos: los datos y las redes difieren de los suyos.",
    "Needs true and random labels, at least 2 seeds, and every network fitted, margins above 0.":
        "Se necesitan etiquetas verdaderas y al azar, al menos 2 semillas, y que toda red ajuste, "
        "con márgenes mayores que 0.",
    "At least 2 numbers of examples, too.": "Además, al menos 2 números de ejemplos.",
    "At the same training loss the {measure} is larger with random labels than with true ones.":
        "Con la misma pérdida de entrenamiento, la {measure} es mayor con etiquetas al azar que "
        "con las verdaderas.",
    "At the same training loss the Frobenius norm is larger with random labels than with true "
    "ones.":
        "Con la misma pérdida de entrenamiento, la norma de Frobenius es mayor con etiquetas al "
        "azar que con las verdaderas.",
    "The {measure} grows faster with the examples on random labels than on true ones.":
        "Al aumentar los ejemplos, la {measure} crece más rápido con etiquetas al azar que con "
        "las verdaderas.",
    "The Frobenius norm grows faster with the examples on random labels than on true ones.":
        "Al aumentar los ejemplos, la norma de Frobenius crece más rápido con etiquetas al azar "
        "que con las verdaderas.",
    "Margins over the {norm} tell networks on random labels from those on true ones better than "
    "margins as they are.":
        "Los márgenes divididos entre la {norm} distinguen las redes con etiquetas al azar de las "
        "de etiquetas verdaderas mejor que los márgenes tal cual.",
    "Random over true labels {value:g} ({low:g} to {high:g}), 95 % over {n:d} seeds; p = {p:g} "
    "(Holm over {family:d}).":
        "Cociente al azar / verdaderas {value} ({low} a {high}), 95 % sobre {n} semillas; p = {p} "
        "(Holm sobre {family}).",
    "Power of the number of examples, random less true labels {value:g} ({low:g} to {high:g}), 95 "
    "% over {n:d} seeds; p = {p:g} (Holm over {family:d}).":
        "Potencia del número de ejemplos, etiquetas al azar menos verdaderas {value} ({low} a "
        "{high}), 95 % sobre {n} semillas; p = {p} (Holm sobre {family}).",
    "AUROC, small margins counted for random labels: {list}; more than that of margins as they "
    "are, in the better direction, {value:g} ({low:g} to {high:g}), 95 % over {n:d} seeds; p = "
    "{p:g} (Holm over {family:d}).":
        "AUROC, contando los márgenes pequeños como etiquetas al azar: {list}; más que el de los "
        "márgenes tal cual, en la mejor dirección, {value} ({low} a {high}), 95 % sobre {n} "
        "semillas; p = {p} (Holm sobre {family}).",
    "AUROC, small margins counted for random labels: {list}. Margins as they are already tell all "
    "apart, in one of two directions.":
        "AUROC, contando los márgenes pequeños como etiquetas al azar: {list}. Los márgenes tal "
        "cual ya los distinguen a todos, en una de dos direcciones.",
    "as they are": "tal cual",
    "over the {norm} {value:g}": "entre la {norm} {value}",
    "over the {norm}": "entre la {norm}",
}  # fmt: skip
