"""What is said of critical samples, and of networks that have seen one image, in Spanish."""

PHRASES = {
    # Critical samples.
    "radius": "radio",
    "critical at first": "críticas al principio",
    "at the end": "al final",
    "growth": "crecimiento",
    "less true labels": "menos con etiquetas verdaderas",
    "in half the iterations": "con la mitad de las iteraciones",
    "Means over seeds. Critical: the share of held-out images around which the search finds "
    "another answer within the radius in every pixel, on the scale 0 to 255; a lower bound, for "
    "it may miss some. At first: at the first epoch that is measured. Less true labels: the "
    "difference at the end, paired over seeds, with its 95 % interval. In half the iterations: "
    "what was found by then; where it is near the share at the end, more would find little more.":
        "Medias sobre las semillas. Críticas: la proporción de imágenes apartadas alrededor de "
        "las cuales la búsqueda encuentra otra respuesta dentro del radio en cada píxel, en la "
        "escala de 0 a 255; una cota inferior, pues puede no encontrar algunas. Al principio: en "
        "la primera época que se mide. Menos con etiquetas verdaderas: la diferencia al final, "
        "pareada por semilla, con su intervalo del 95 %. Con la mitad de las iteraciones: lo que "
        "se había encontrado para entonces; donde se acerca a la proporción final, más "
        "iteraciones encontrarían poco más.",
    "Critical samples": "Muestras críticas",
    "Critical sample ratio while training, radius {radius:g}":
        "Proporción de muestras críticas durante el entrenamiento, radio {radius}",
    "The share of held-out images with another answer in the box around them, as far as the "
    "search finds it: a lower bound.":
        "La proporción de imágenes apartadas con otra respuesta en la caja a su alrededor, hasta "
        "donde la búsqueda la encuentra: una cota inferior.",
    "critical sample ratio": "proporción de muestras críticas",
    "On the labels that a run has.": "Con las etiquetas que tiene cada red.",
    "On true labels; of noise images those that the run is tested on.":
        "Con las etiquetas verdaderas; de las imágenes de ruido, aquellas con las que se prueba.",
    "training accuracy": "exactitud de entrenamiento",
    "What the search has found, radius {radius:g}":
        "Lo que ha encontrado la búsqueda, radio {radius}",
    "At the end of training. Where a line still rises, more iterations would find more.":
        "Al final del entrenamiento. Donde una línea aún sube, más iteraciones encontrarían más.",
    "iterations of the search": "iteraciones de la búsqueda",
    "share found": "proporción encontrada",
    "{dataset}: {n:d} training images; the search is around {chosen:d} of {test:d} test images, "
    "which are corrupted as the training images of a run are":
        "{dataset}: {n} imágenes de entrenamiento; se busca alrededor de {chosen} de {test} "
        "imágenes de prueba, que se corrompen como las imágenes de entrenamiento de cada red",
    "{model} {sizes}, {optimizer}, learning rate {rate:g}, batches of {batch:d}, {epochs:d} "
    "epochs; {seeds:d} seeds; {n:d} iterations of the search":
        "{model} {sizes}, {optimizer}, tasa de aprendizaje {rate}, lotes de {batch}, {epochs} "
        "épocas; {seeds} semillas; {n} iteraciones de la búsqueda",
    "Arpit et al. 2017, section 4, Figures 7 to 9": "Arpit et al. 2017, sección 4, Figuras 7 a 9",
    "Figures without numbers: signs only. Data and networks differ from theirs.":
        "Figuras sin números: solo signos. Los datos y las redes difieren de los suyos.",
    "Networks that fit wrong labels have more critical samples than on true labels.":
        "Las redes que ajustan etiquetas equivocadas tienen más muestras críticas que con "
        "etiquetas verdaderas.",
    "Networks that fit noise images have more critical samples than on true images.":
        "Las redes que ajustan imágenes de ruido tienen más muestras críticas que con imágenes "
        "verdaderas.",
    "The most label noise has the most critical samples.":
        "El mayor ruido en las etiquetas tiene la mayor proporción de muestras críticas.",
    "Critical samples become more while a network trains, in every setting.":
        "Las muestras críticas aumentan mientras una red se entrena, en todas las variantes.",
    "Needs {what}, with 2 seeds or more.": "Hace falta: {what}, con 2 semillas o más.",
    "true labels, and some label noise": "etiquetas verdaderas y algo de ruido en las etiquetas",
    "true labels, and images of noise": "etiquetas verdaderas e imágenes de ruido",
    "two levels of label noise": "dos niveles de ruido en las etiquetas",
    "two measured epochs": "dos épocas medidas",
    "In the box of radius {radius:g} at most {share:g} are critical: take a larger config.radius.":
        "En la caja de radio {radius} a lo más {share} son críticas: conviene un config.radius "
        "mayor.",
    "In the box of radius {radius:g} at least {share:g} are critical: take a smaller "
    "config.radius.":
        "En la caja de radio {radius} al menos {share} son críticas: conviene un config.radius "
        "menor.",
    "{one} less {other}": "{one} menos {other}",
    "Differences of the share at radius {radius:g}, with 95 % intervals over {n:d} seeds: {list}. "
    "Largest p by Holm: {p:g}.":
        "Diferencias de la proporción con radio {radius}, con intervalos del 95 % sobre {n} "
        "semillas: {list}. La mayor p según Holm: {p}.",
    # One training image.
    "layers": "capas",
    "like the image given": "parecido a la imagen dada",
    "like the training image": "parecido a la imagen de entrenamiento",
    "Correlations over pixels between what a network returns for a held-out image and that image, "
    "or the one training image; means over images and seeds. The identity has 1 in the first "
    "column, the constant function in the second. The interval is of 95 % over seeds.":
        "Correlaciones sobre los píxeles entre lo que una red devuelve para una imagen apartada y "
        "esa imagen, o la única imagen de entrenamiento; medias sobre imágenes y semillas. La "
        "identidad tiene 1 en la primera columna, la función constante en la segunda. El "
        "intervalo es del 95 % sobre las semillas.",
    "The identity or a constant function": "La identidad o una función constante",
    "with the image given: the identity": "con la imagen dada: la identidad",
    "with the training image: a constant": "con la imagen de entrenamiento: una constante",
    "What networks learn from one image, by depth":
        "Lo que aprenden las redes de una imagen, según la profundidad",
    "Correlation of what a network returns for held-out images.":
        "Correlación de lo que devuelve una red para imágenes apartadas.",
    "correlation": "correlación",
    "{dataset}: one training image for each of {seeds:d} seeds, and {n:d} test images of {sides} "
    "pixels":
        "{dataset}: una imagen de entrenamiento para cada una de {seeds} semillas, y {n} imágenes "
        "de prueba de {sides} píxeles",
    "convolutions of {channels:d} channels and {height:d} x {width:d} filters, Adam, learning "
    "rate {rate:g}, up to a mean squared error of {loss:g}":
        "convoluciones de {channels} canales y filtros de {height} x {width}, Adam, tasa de "
        "aprendizaje {rate}, hasta un error cuadrático medio de {loss}",
    "What networks return that have seen one image":
        "Lo que devuelven redes que han visto una sola imagen",
    "On the left the image that they were trained to return, and then held-out images. Below, "
    "what a network of each depth makes of them (first seed).":
        "A la izquierda la imagen que se les entrenó a devolver, y luego imágenes apartadas. "
        "Debajo, lo que hace de ellas una red de cada profundidad (primera semilla).",
    "the training image, and held-out images": "la imagen de entrenamiento, e imágenes apartadas",
    "1 layer": "1 capa",
    "{n:d} layers": "{n} capas",
    "Zhang et al. 2020, abstract": "Zhang et al. 2020, resumen",
    "Networks of up to {n:d} layers are nearer to the identity than to a constant function.":
        "Las redes de hasta {n} capas están más cerca de la identidad que de una función "
        "constante.",
    "The deepest network is nearer to the constant function: it memorizes.":
        "La red más profunda está más cerca de la función constante: memoriza.",
    "Needs 2 seeds, and networks of up to {n:d} layers.":
        "Se necesitan 2 semillas, y redes de hasta {n} capas.",
    "Needs 2 seeds, and networks of more than {n:d} layers.":
        "Se necesitan 2 semillas, y redes de más de {n} capas.",
    "Correlation of outputs with inputs, less that with the training image, by layers, with 95 % "
    "intervals over {n:d} seeds: {list}. Largest p by Holm: {p:g}.":
        "Correlación de las salidas con las entradas, menos la que hay con la imagen de "
        "entrenamiento, según las capas, con intervalos del 95 % sobre {n} semillas: {list}. La "
        "mayor p según Holm: {p}.",
    "Up to {n:d} layers generalize from one example, deeper ones often fail.":
        "Las de hasta {n} capas generalizan a partir de un ejemplo; las más profundas suelen "
        "fallar.",
}  # fmt: skip
