"""The figures of trained runs, and their pictures of images, in Spanish."""

PHRASES = {
    "ours: {models} on {dataset}, {device}":
        "nuestras mediciones: {models} con {dataset}, {device}",
    "ours: {dataset}, {device}": "nuestras mediciones: {dataset}, {device}",
    "thousand steps": "miles de pasos",
    "train": "entrenamiento",
    "test": "prueba",
    "outside": "fuera",
    "train, corrupted labels only": "entrenamiento, solo etiquetas corrompidas",
    "train, clean labels only": "entrenamiento, solo etiquetas limpias",
    "Training loss, as in the paper's Figure 1a":
        "Pérdida de entrenamiento, como en la Figura 1a del artículo",
    "Cross-entropy over {what} as the run sees it, with the model fixed, at the end of each epoch.":
        "Entropía cruzada sobre {what} con las etiquetas y píxeles que ve la red, con el modelo "
        "fijo, al final de cada época.",
    "the whole training set": "todo el conjunto de entrenamiento",
    "{sizes} images of the training set": "{sizes} imágenes del conjunto de entrenamiento",
    "all": "todas",
    "paper, CIFAR-10, {model}": "artículo, CIFAR-10, {model}",
    "{name}, in training": "{name}, al entrenar",
    "In training: {what}.": "Al entrenar: {what}.",
    "the mean over the batches of an epoch, at the middle of its steps":
        "la media de los lotes de una época, en la mitad de sus pasos",
    "the paper's numbers, read off its Figure 1": "números del artículo, leídos de su Figura 1",
    "epoch's mean loss {loss:g}": "pérdida media de la época {loss}",
    "train accuracy {level:g}": "exactitud de entrenamiento {level}",
    "{name}, by {measure}": "{name}, por {measure}",
    "Time to fit against label noise, as in the paper's Figure 1b":
        "Tiempo hasta ajustar según el ruido en las etiquetas, como en la Figura 1b del artículo",
    "Steps to fit, relative to those at label noise 0. A level that a seed never fitted is left "
    "out. The paper does not define its time; an epoch's mean loss below {loss:g} matches its "
    "numbers, train accuracy is this package's measure: the highest of some round ones that every "
    "run of the curve reaches.":
        "Pasos hasta ajustar, relativos a los de ruido 0 en las etiquetas. Se omite un nivel que "
        "alguna semilla nunca ajustó. El artículo no define su tiempo; una pérdida media de la "
        "época menor que {loss} concuerda con sus números, la exactitud de entrenamiento es la "
        "medida de este paquete: la más alta, entre algunas redondas, que alcanzan todos los "
        "entrenamientos de la curva.",
    "label noise": "ruido en las etiquetas",
    "time to fit, relative": "tiempo hasta ajustar, relativo",
    "{name}, corrupted test labels": "{name}, etiquetas de prueba corrompidas",
    "{name}, true test labels": "{name}, etiquetas de prueba verdaderas",
    "chance, {percent:g}": "azar, {percent}",
    "Test error of the fitted networks, as in the paper's Figure 1c":
        "Error de prueba de las redes ajustadas, como en la Figura 1c del artículo",
    "At the end of training. The paper's curve is almost certainly against test labels corrupted "
    "with the same probability as the training labels: compare it with 'corrupted test labels' "
    "where those were measured (corrupt_test_labels).":
        "Al final del entrenamiento. La curva del artículo es casi con seguridad frente a "
        "etiquetas de prueba corrompidas con la misma probabilidad que las de entrenamiento: "
        "compárese con «etiquetas de prueba corrompidas» donde se midieron (corrupt_test_labels).",
    "With the model fixed, at the end of each epoch.":
        "Con el modelo fijo, al final de cada época.",
    "Shaded above a test curve: the best test accuracy so far, what early stopping could have "
    "kept.":
        "Sombreado sobre una curva de prueba: la mejor exactitud de prueba hasta ahí, lo que la "
        "parada temprana habría conservado.",
    "With the model fixed, at the end of each epoch, on the whole training and test set.":
        "Con el modelo fijo, al final de cada época, en todo el conjunto de entrenamiento y de "
        "prueba.",
    "Accuracy with and without regularizers, as in the paper's Figure 2a":
        "Exactitud con y sin regularizadores, como en la Figura 2a del artículo",
    "Accuracy with and without batch norm, as in the paper's Figure 2b":
        "Exactitud con y sin batch norm, como en la Figura 2b del artículo",
    "True labels, no explicit regularizer.": "Etiquetas verdaderas, sin regularizador explícito.",
    "with batch norm": "con batch norm",
    "without batch norm": "sin batch norm",
    # What could not be drawn.
    "1 point is not drawn: there is no number.": "1 punto no se dibuja: no hay número.",
    "{n:,} points are not drawn: there is no number.":
        "{n} puntos no se dibujan: no hay número.",
    "1 point is not drawn: a logarithmic axis has no place for 0 and below.":
        "1 punto no se dibuja: en un eje logarítmico no caben 0 ni menos.",
    "{n:,} points are not drawn: a logarithmic axis has no place for 0 and below.":
        "{n} puntos no se dibujan: en un eje logarítmico no caben 0 ni menos.",
    "{left:,} of {total:,} points are drawn and can be copied, evenly chosen along the "
    "horizontal axis.":
        "Se dibujan y se pueden copiar {left} de {total} puntos, elegidos de manera uniforme a lo "
        "largo del eje horizontal.",
    # Pictures of images.
    "Training images and the labels they are trained with":
        "Imágenes de entrenamiento y las etiquetas con las que se entrenan",
    "Of some classes the first image, as the network sees it in every epoch, before "
    "preprocessing; below it its label, marked where it is not the true one.":
        "De algunas clases la primera imagen, como la ve la red en cada época, antes del "
        "preprocesamiento; debajo su etiqueta, marcada donde no es la verdadera.",
    "Augmented training images": "Imágenes de entrenamiento con aumento de datos",
    "As stored, then as the network saw them in its first epochs, by what was applied.":
        "Primero la original, luego como las vio la red en sus primeras épocas, según lo que se "
        "aplicó.",
    "What the network answers over the plane, during training":
        "Lo que la red responde en el plano, durante el entrenamiento",
    "The probability of class 1 at each point, of the first run on each data set, as its "
    "checkpoints have it, and its training points. The last frame is figures/decision_map.png.":
        "La probabilidad de la clase 1 en cada punto, del primer entrenamiento con cada conjunto "
        "de datos, según sus puntos de control, y sus puntos de entrenamiento. El último cuadro "
        "está en figures/decision_map.png.",
    # Norms and margins.
    "Distance from the start": "Distancia desde el inicio",
    "The root of the sum over layers of |W - W0|_F^2, where W0 is a layer's weights before the "
    "first step.":
        "La raíz de la suma sobre las capas de |W - W0|_F^2, donde W0 son los pesos de una capa "
        "antes del primer paso.",
    "Frobenius norm": "Norma de Frobenius",
    "frobenius norm": "norma de Frobenius",
    "The root of the sum over layers of |W|_F^2.":
        "La raíz de la suma sobre las capas de |W|_F^2.",
    "Product of spectral norms": "Producto de las normas espectrales",
    "The product over layers of |W|_2, the largest singular value.":
        "El producto sobre las capas de |W|_2, el valor singular más grande.",
    "Sum of stable ranks": "Suma de los rangos estables",
    "The sum over layers of |W|_F^2 / |W|_2^2.": "La suma sobre las capas de |W|_F^2 / |W|_2^2.",
    "Spectral complexity": "Complejidad espectral",
    "R of Bartlett et al. (2017): the product of |W|_2 times (sum of (|W|_21 / |W|_2)^(2/3)) "
    "to the power 3/2.":
        "R de Bartlett et al. (2017): el producto de |W|_2 por (la suma de "
        "(|W|_21 / |W|_2)^(2/3)) a la potencia 3/2.",
    "Path norm": "Norma de caminos",
    "The l2 norm over all paths from an input or a bias to an output of the product of the "
    "parameters on the path.":
        "La norma l2, sobre todos los caminos de una entrada o un sesgo a una salida, del producto "
        "de los parámetros del camino.",
    "Margin": "Margen",
    "the 10th percentile of the training margins":
        "el percentil 10 de los márgenes de entrenamiento",
    "The 10th percentile over the training examples of the logit of the given label less the "
    "largest other one, in eval mode.":
        "El percentil 10, entre los ejemplos de entrenamiento, del logit de la etiqueta dada menos "
        "el mayor de los otros, en modo de evaluación.",
    "Margin over the product of spectral norms":
        "Margen entre el producto de las normas espectrales",
    "{margin} over the product of |W|_2.": "{margin} entre el producto de |W|_2.",
    "Normalized margin": "Margen normalizado",
    "{margin} over the spectral complexity.": "{margin} entre la complejidad espectral.",
    "Margin over the path norm": "Margen entre la norma de caminos",
    "{margin} over the path norm.": "{margin} entre la norma de caminos.",
}  # fmt: skip
