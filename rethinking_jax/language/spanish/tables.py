"""The tables of trained runs and the facts above them, in Spanish."""

PHRASES = {
    # What was run.
    "{title}, not finished": "{title}, sin terminar",
    "data": "datos",
    "model": "modelo",
    "runs": "entrenamientos",
    "device": "dispositivo",
    "time": "tiempo",
    "versions": "versiones",
    "state": "estado",
    "method": "método",
    "not finished": "sin terminar",
    "{n:g}, share {share} of a sweep": "{n}, parte {share} de un barrido",
    "{what}, held against these runs": "{what}, frente a estos entrenamientos",
    "{what}, held against these runs, each model or variant judged by itself":
        "{what}, frente a estos entrenamientos, cada modelo o variante juzgado por separado",
    "{what}, held against the runs that are through":
        "{what}, frente a los entrenamientos que ya terminaron",
    "{what}, held against these numbers": "{what}, frente a estos números",
    "{what}: {yes:g} yes, {no:g} no, {rest:g} not measured.":
        "{what}: {yes} sí, {no} no, {rest} sin medir.",
    "{what}: not judged yet, {state}.": "{what}: aún sin juzgar, {state}.",
    "Not yet: {names}.": "Aún no: {names}.",
    "The paper's claims are about the test set, and these runs leave it alone: hyper-parameters "
    "are chosen by validation, and the chosen runs alone looked at it, once.":
        "Lo que afirma el artículo trata del conjunto de prueba, y estos entrenamientos no lo "
        "tocan: la validación elige los hiperparámetros, y solo los elegidos lo miraron, una vez.",
    "{n:,} training": "{n} de entrenamiento",
    "{n:,} validation": "{n} de validación",
    "{n:,} test": "{n} de prueba",
    "{n:,} outside": "{n} de fuera",
    "{data}: {n:,} training, {others} images, {classes:g} classes":
        "{data}: {n} imágenes de entrenamiento, {others}, {classes} clases",
    "{data}: {n:,} training, {others} points, {classes:g} classes":
        "{data}: {n} puntos de entrenamiento, {others}, {classes} clases",
    "{n:,} training, {others} images": "{n} imágenes de entrenamiento, {others}",
    "{n:,} validation, {others} images": "{n} imágenes de validación, {others}",
    "{n:,} validation images": "{n} imágenes de validación",
    "{n:,} test images": "{n} imágenes de prueba",
    "{n:,} training points": "{n} puntos de entrenamiento",
    "{n:,} training, {others} points": "{n} puntos de entrenamiento, {others}",
    "{n:,} test, {others} points": "{n} puntos de prueba, {others}",
    "{n:,} test points": "{n} puntos de prueba",
    "{n:g} classes": "{n} clases",
    "augmentation none, {names}": "augmentation ninguno, {names}",
    "augmentation {names}, none": "augmentation {names}, ninguno",
    "augmentation crop": "augmentation crop",
    "augmentation flip+rotate": "augmentation flip+rotate",
    "{n:g} cores": "{n} núcleos",
    "{n:,} seconds": "{n} segundos",
    "{n:,} minutes": "{n} minutos",
    # Runs that are not through.
    "Where it stands": "Cómo va",
    "finished": "terminado",
    "running": "en marcha",
    "stopped": "detenido",
    "waiting": "en espera",
    "of at most": "de un máximo de",
    "{n:g} finished": "{n} terminados",
    "{n:g} diverged": "{n} divergieron",
    "{n:g} running": "{n} en marcha",
    "{n:g} stopped": "{n} detenidos",
    "{n:g} waiting": "{n} en espera",
    "{name} at epoch {epoch:g} of {epochs:g}": "{name} en la época {epoch} de {epochs}",
    "{n:g} more": "{n} más",
    "{n:g} of {all:g} runs through": "{n} de {all} entrenamientos listos",
    # Results.
    "Results": "Resultados",
    "run": "entrenamiento",
    "really flipped": "de verdad cambiadas",
    "train acc.": "exactitud de entr.",
    "test acc.": "exactitud de prueba",
    "val. acc.": "exactitud de val.",
    "best test": "mejor prueba",
    "best val.": "mejor val.",
    "epochs to fit": "épocas hasta ajustar",
    "steps to fit": "pasos hasta ajustar",
    "best epoch": "mejor época",
    "early stopping wins": "gana la parada temprana",
    "noise alone wins up to": "el ruido solo gana hasta",
    "To fit is to reach a train accuracy of {level}, or what --fit_threshold says.":
        "Ajustar es alcanzar una exactitud de entrenamiento de {level}, o lo que diga "
        "--fit_threshold.",
    "Early stopping wins: the test accuracy of the best epoch less that of the last. The best of "
    "many epochs is chosen on the test set itself, so that noise wins, too: up to the last column, "
    "by how far the accuracy wanders from epoch to epoch. A gain below it says nothing.":
        "Gana la parada temprana: la exactitud de prueba de la mejor época menos la de la última. "
        "La mejor de muchas épocas se elige con el propio conjunto de prueba, así que el ruido "
        "también gana: hasta la última columna, según lo que la exactitud varía de época a época. "
        "Una ganancia menor no dice nada.",
    "Validation chooses among the runs: those with a test accuracy are the chosen ones, and the "
    "test set was looked at once, as they ended. Early stopping wins: the validation accuracy of "
    "the best epoch less that of the last; noise alone wins up to the last column.":
        "La validación elige entre los entrenamientos: los que tienen exactitud de prueba son los "
        "elegidos, y el conjunto de prueba se miró una sola vez, cuando terminaron. Gana la parada "
        "temprana: la exactitud de validación de la mejor época menos la de la última; el ruido "
        "solo gana hasta la última columna.",
    "Over label noise": "Según el ruido en las etiquetas",
    "relative time (accuracy)": "tiempo relativo (exactitud)",
    "relative time (loss {loss:g})": "tiempo relativo (pérdida {loss})",
    "test error, true labels": "error de prueba, etiquetas verdaderas",
    "test error, corrupted labels": "error de prueba, etiquetas corrompidas",
    "paper's relative time (Figure 1b, CIFAR-10)":
        "tiempo relativo del artículo (Figura 1b, CIFAR-10)",
    "paper's test error (Figure 1c, CIFAR-10)":
        "error de prueba del artículo (Figura 1c, CIFAR-10)",
    "Epochs and time to fit are by the highest train accuracy that all levels reach: {levels}.":
        "Épocas y tiempo hasta ajustar son según la exactitud de entrenamiento más alta que "
        "alcanzan todos los niveles: {levels}.",
    "Norms and margins": "Normas y márgenes",
    "At the end of training, see the figures for what each is.":
        "Al final del entrenamiento; las figuras dicen qué es cada una.",
    # Beside the paper.
    "Beside the paper's {tables}": "Junto a la {tables} del artículo",
    "the paper's": "en el artículo",
    "setting": "variante",
    "regularizers": "regularizadores",
    "comparable": "comparable",
    "our {what}": "nuestra {what}",
    "paper's {what}": "{what} del artículo",
    "train top-{k:g}": "top-{k} de entrenamiento",
    "test top-{k:g} [best]": "top-{k} de prueba [mejor]",
    "best": "mejor",
    "none": "ninguno",
    "Gabor wavelets": "wavelets de Gabor",
    "32,000 random convolutional filters": "32,000 filtros convolucionales al azar",
    "l2 penalty": "penalización l2",
    "rotation": "rotación",
    "random crop": "recorte al azar",
    "failed to converge": "no convergió",
    "Table 4's train accuracy under augmentation is the mean over the mini-batches of an epoch: "
    "there ours is the last running_accuracy, the mean since the measurement before.":
        "La exactitud de entrenamiento de la Tabla 4 con aumento de datos es la media sobre los "
        "lotes de una época: ahí la nuestra es la última running_accuracy, la media desde la "
        "medición anterior.",
    "Means over seeds; tables/table_2.csv has the extremes. In square brackets the best of any "
    "epoch, which early stopping would have found; the paper gives it for two rows.":
        "Medias sobre semillas; tables/table_2.csv tiene los extremos. Entre corchetes la mejor de "
        "todas las épocas, la que la parada temprana habría encontrado; el artículo la da para dos "
        "filas.",
    "0.9060, the paper's top-1 accuracy in training with weight decay alone, looks like a misprint "
    "for 0.9960: its Figure 2a ends at 0.996, and its top-5 is 1.0.":
        "0.9060, la exactitud top-1 del artículo en entrenamiento con solo decaimiento de pesos, "
        "parece una errata por 0.9960: su Figura 2a termina en 0.996, y su top-5 es 1.0.",
    "not comparable: {reasons}": "no comparable: {reasons}",
    "data set is {ours}, the paper's {theirs}":
        "los datos son {ours}, los del artículo {theirs}",
    "{n:,} training images, the paper's {whole:,}":
        "{n} imágenes de entrenamiento, las del artículo {whole}",
    "model is {ours}, the paper's {theirs}": "el modelo es {ours}, el del artículo {theirs}",
    "images of {size:g} pixels, the paper's {theirs:g}":
        "imágenes de {size} píxeles, las del artículo {theirs}",
    "weight decay is decoupled, the paper's an l2 penalty":
        "el decaimiento de pesos está desacoplado, el del artículo es una penalización l2",
    "initial weights are of another size": "los pesos iniciales son de otro tamaño",
    "initializer model": "initializer model",
    "initializer {value}, the paper does not say": (
        "inicializador {value}, el artículo no lo dice"
    ),
    "label smoothing {value:g}, the paper does not say":
        "suavizado de etiquetas {value}, el artículo no lo dice",
    "train accuracy of {n:,} images": "exactitud de entrenamiento de {n} imágenes",
}  # fmt: skip
