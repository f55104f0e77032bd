"""What is said of which examples are easy, in Spanish."""

PHRASES = {
    "right": "aciertos",
    "dispersion": "dispersión",
    "if equally hard": "si son igual de difíciles",
    "p": "p",
    "within a label": "dentro de una etiqueta",
    "right in all runs": "aciertan todas las redes",
    "right in none": "no acierta ninguna",
    "Dispersion: the variance over examples of the number of runs that are right, divided by that "
    "of a binomial; 1 if all examples are equally hard. Its interval is a jackknife over runs. If "
    "equally hard: where 95 % of dispersions lie by chi-square, were answers independent; p: the "
    "share of a parametric bootstrap that is as large. Within a label: the same among examples of "
    "one given label, so that how often a label occurs makes no difference.":
        "Dispersión: la varianza sobre los ejemplos del número de redes que aciertan, dividida "
        "entre la de una binomial; 1 si todos los ejemplos son igual de difíciles. Su intervalo "
        "es un jackknife sobre las redes. Si son igual de difíciles: donde cae 95 % de las "
        "dispersiones según ji cuadrada, si las respuestas fueran independientes; p: la "
        "proporción de un bootstrap paramétrico que es igual de grande. Dentro de una etiqueta: "
        "lo mismo entre ejemplos de una misma etiqueta dada, de modo que no influya qué tan "
        "frecuente es una etiqueta.",
    "{dataset}: {n:d} training images, which are trained on and looked at":
        "{dataset}: {n} imágenes de entrenamiento, con las que se entrena y que se examinan",
    "{n:d} runs of each setting, each with initial weights and an order of its own.":
        "{n} redes de cada variante, cada una con pesos iniciales y orden propios.",
    "{optimizer} without momentum": "{optimizer} sin momento",
    "batches of {n:d}": "lotes de {n}",
    "After one epoch": "Tras una época",
    "After {n:d} epochs": "Tras {n} épocas",
    "How far examples differ in difficulty": "Cuánto difieren los ejemplos en dificultad",
    "How often each example is wrong, from the easiest to the hardest":
        "Con qué frecuencia se falla en cada ejemplo, del más fácil al más difícil",
    "Equally hard: binomial draws with the mean rate of Gaussian inputs; the band has 95 % of "
    "them at each place.":
        "Igual de difíciles: sorteos binomiales con la tasa media de las entradas gaussianas; la "
        "banda contiene 95 % de ellos en cada lugar.",
    "equally hard": "igual de difíciles",
    "share of runs that are wrong": "proporción de redes que fallan",
    "mean of draws, band of 95 % of them": "media de los sorteos, banda de 95 % de ellos",
    "Which examples are easy, and which are hard": "Qué ejemplos son fáciles, y cuáles difíciles",
    "{after} on {setting} {always:d} examples are right in all {runs:d} runs, and {never:d} in "
    "none.":
        "{after} con {setting}, en {always} ejemplos aciertan las {runs} redes, y en {never} "
        "ninguna.",
    "Under each its label, how many runs are wrong on it, and what most of those answer.":
        "Debajo de cada uno: su etiqueta, cuántas redes fallan en él y qué responde la mayoría de "
        "ellas.",
    "easiest": "los más fáciles",
    "hardest": "los más difíciles",
    "wrong in {n:d}": "{n} fallan",
    "as {answer}": "como {answer}",
    "Arpit et al. (2017), section 3.1, Figure 1": "Arpit et al. (2017), sección 3.1, Figura 1",
    "Gaussian inputs are all equally hard.":
        "Todas las entradas gaussianas son igual de difíciles.",
    "Their counts look like binomial draws with the same mean (a figure, no number).":
        "Sus conteos parecen sorteos binomiales con la misma media (una figura, sin número).",
    "Real images differ more in difficulty than the same images with random labels.":
        "Las imágenes reales difieren más en dificultad que las mismas con etiquetas al azar.",
    "Images with random labels differ more in difficulty than Gaussian inputs.":
        "Las imágenes con etiquetas al azar difieren más en dificultad que las entradas "
        "gaussianas.",
    "Gaussian inputs with the same label are all equally hard.":
        "Todas las entradas gaussianas con la misma etiqueta son igual de difíciles.",
    "How often a label occurs is a pattern, too, and here it makes no difference.":
        "La frecuencia de una etiqueta también es un patrón, y aquí no influye.",
    "In the figure; no number.": "En la figura; sin número.",
    "Needs {names}, and runs that differ.": "Se necesitan {names}, y redes que difieran.",
    "Dispersion {first:g} and {second:g}: {more:g} more ({low:g} to {high:g}, 95 % by jackknife "
    "over runs; p {p:g} by Holm).":
        "Dispersión {first} y {second}: {more} más ({low} a {high}, 95 % por jackknife sobre las "
        "redes; p {p} según Holm).",
    "More runs are needed.": "Se necesitan más redes.",
    "Needs gaussian.": "Se necesita gaussian.",
    "Dispersion {value:g} ({interval}, 95 % by jackknife over {n:d} runs); 1 if equally hard.":
        "Dispersión {value} ({interval}, 95 % por jackknife sobre {n} redes); 1 si son igual de "
        "difíciles.",
}  # fmt: skip
