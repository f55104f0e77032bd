"""Sentences that earlier versions wrote into work directories and results, in Spanish."""

PHRASES = {
    "Needs label noise with 50 corrupted labels.":
        "Hace falta: ruido en las etiquetas con 50 etiquetas corrompidas.",
    "Test error at the threshold is, {told}; 95 % intervals, paired over {n:d} draws. At most "
    "{most:g} counts as removed.":
        "El error de prueba en el umbral es {told}; intervalos del 95 %, pareados sobre {n} "
        "sorteos. A lo más {most} cuenta como eliminado.",
    "{noise}: {difference:g} ({low:g} to {high:g}) above N = {width:d}, without a ridge {without}":
        "{noise}: {difference} ({low} a {high}) por encima de N = {width}, sin ridge "
        "{without}",
    "{n:d} runs of each setting, each with initial weights and an order of its own, {epochs}: "
    "{training}":
        "{n} redes de cada variante, cada una con pesos iniciales y orden propios, {epochs}: "
        "{training}",
    "How often each example is wrong after one epoch, from the easiest to the hardest":
        "Con qué frecuencia se falla en cada ejemplo tras una época, del más fácil al más difícil",
    "After one epoch on {setting}: {always:d} examples are right in all {runs:d} runs, {never:d} "
    "in none.":
        "Tras una época con {setting}: en {always} ejemplos aciertan las {runs} redes, en {never} "
        "ninguna.",
    "norm: sqrt(sum over classes of alpha' K alpha), of one-hot labels 0 and 1. linear and "
    "random_conv are scaled to a mean diagonal of 1, which the Gaussian kernel has; gabor is the "
    "Gaussian kernel on wavelet features of the pixels' total variance. seconds: of the kernel "
    "matrix and its solution, shared by the rows that differ in labels only. by chance ±: the "
    "standard deviation of the test error over all renamings of the classes; after random labels "
    "three of it around 1 - 1/k are chance.":
        "norma: sqrt(suma sobre las clases de alpha' K alpha), con etiquetas one-hot 0 y 1. "
        "Lineal y random_conv se escalan para que su diagonal tenga media 1, como la tiene el "
        "gaussiano; el de Gabor es el kernel gaussiano sobre wavelets con la varianza total de los "
        "píxeles. segundos: de la matriz del kernel y su solución, compartidos por las filas que "
        "solo difieren en las etiquetas. por azar ±: la desviación estándar del error de prueba "
        "sobre todas las permutaciones de los nombres de las clases; tras etiquetas al azar, a "
        "menos de tres de ellas de 1 - 1/k es azar.",
    "Share of the dichotomies of n points that training fits. Cover's theorem holds for linear "
    "classifiers: 2 sum_{{k < weights}} C(n - 1, k) of 2^n.":
        "Proporción de las dicotomías de n puntos que el entrenamiento ajusta. El teorema de Cover "
        "vale para clasificadores lineales: 2 sum_{{k < pesos}} C(n - 1, k) de 2^n.",
    "given {label:d}": "dada {label}",
    "true {label:d}": "verdadera {label}",
    "same as true {label:d}": "igual a la verdadera {label}",
    "each with labels of its own": "cada una con etiquetas propias",
    "which all methods share": "que comparten todos los métodos",
    "Test accuracy while training on wrong labels: {setting}":
        "Exactitud de prueba mientras se entrena con etiquetas equivocadas: {setting}",
}  # fmt: skip
