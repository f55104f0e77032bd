"""What least squares on random features say of double descent, in Spanish."""

PHRASES = {
    "features": "características",
    "least singular value": "menor valor singular",
    "its test loss": "su pérdida de prueba",
    "Means over the draws, with the least and the greatest. Loss: squared, summed over classes. "
    "Test labels are true. Norm: of all coefficients. Least singular value: of the features, over "
    "the largest; below 5e-7 it would count as 0. Ridge: that with the least squared loss on the "
    "held-out examples, whose labels are as noisy as the training labels.":
        "Medias sobre los sorteos, con el mínimo y el máximo. Pérdida: cuadrática, sumada sobre "
        "las clases. Las etiquetas de prueba son las verdaderas. Norma: de todos los "
        "coeficientes. Menor valor singular: de las características, entre el mayor; por debajo "
        "de 5e-7 contaría como 0. Ridge: la de menor pérdida cuadrática en los ejemplos "
        "apartados, cuyas etiquetas tienen tanto ruido como las de entrenamiento.",
    "features N": "características N",
    "training examples n": "ejemplos de entrenamiento n",
    "Growing numbers of features N, {n:d} training examples":
        "Número creciente de características N, {n} ejemplos de entrenamiento",
    "Growing numbers of training examples n, {n:d} features":
        "Número creciente de ejemplos de entrenamiento n, {n} características",
    "The vertical line is the interpolation threshold.":
        "La línea vertical es el umbral de interpolación.",
    "{dataset}, pixels from 0 to 1, {n:d} test images":
        "{dataset}, píxeles de 0 a 1, {n} imágenes de prueba",
    "{n:d} draws of examples, noise and features; squared loss on one-hot labels, least norm, "
    "float64":
        "{n} sorteos de ejemplos, ruido y características; pérdida cuadrática sobre etiquetas "
        "one-hot, norma mínima, float64",
    "sqrt(2 / N) cos(v'x + b), v normal with standard deviation 1 / 5, b uniform":
        "sqrt(2 / N) cos(v'x + b), v normal con desviación estándar 1 / 5, b uniforme",
    "test, tuned ridge": "prueba, ridge ajustada",
    "tuned ridge": "ridge ajustada",
    "least norm": "norma mínima",
    "Test and training error": "Error de prueba y de entrenamiento",
    "Squared test loss": "Pérdida cuadrática de prueba",
    "squared loss": "pérdida cuadrática",
    "Norm of the coefficients": "Norma de los coeficientes",
    "Belkin et al. (2019), Figure 2": "Belkin et al. (2019), Figura 2",
    "A figure without numbers: the signs alone can be compared.":
        "Una figura sin números: solo se pueden comparar los signos.",
    "95 % intervals, paired over {n:d} draws":
        "intervalos del 95 %, pareados por sorteo ({n} sorteos)",
    "Needs sizes within 10 % of {n:d}, and on both sides of it.":
        "Se necesitan tamaños a menos de 10 % de {n}, y a ambos lados.",
    "In every draw the test error is highest where there are as many features as examples.":
        "En cada sorteo el error de prueba es máximo donde hay tantas características como "
        "ejemplos.",
    "It is highest at {axis}: {list}.": "Lugar del máximo ({axis}): {list}.",
    "In every draw the norm of the coefficients peaks where the test error does.":
        "En cada sorteo la norma de los coeficientes alcanza su pico donde lo alcanza el error de "
        "prueba.",
    "The norm is largest at {axis}: {list}.": "Lugar de la norma máxima ({axis}): {list}.",
    "Test error rises from the classical optimum to the threshold, and falls beyond.":
        "El error de prueba sube del óptimo clásico al umbral, y baja más allá.",
    "Needs sizes on both sides of the threshold, and held_out.":
        "Se necesitan tamaños a ambos lados del umbral, y held_out.",
    "{name}: up by {rise} from N = {few:d}, down by {fall} to N = {many:d}":
        "{name}: sube {rise} desde N = {few}, baja {fall} hasta N = {many}",
    "With true labels the most features test better than any number below the threshold.":
        "Con etiquetas verdaderas, el mayor número de características tiene menor error de prueba "
        "que cualquiera por debajo del umbral.",
    "Needs true labels, sizes beyond the threshold, and held_out.":
        "Se necesitan etiquetas verdaderas, tamaños más allá del umbral, y held_out.",
    "Test error {valley:g} at N = {few:d}, the best below by held-out examples, {last:g} at N = "
    "{many:d}: a gain of {gain}":
        "Error de prueba {valley} con N = {few}, el mejor por debajo según los ejemplos "
        "apartados, {last} con N = {many}: una ganancia de {gain}",
    "Label noise makes the peak higher.": "El ruido en las etiquetas hace más alto el pico.",
    "Needs runs with and without noise, and sizes on both sides of the threshold.":
        "Se necesitan redes con y sin ruido, y tamaños a ambos lados del umbral.",
    "At the threshold the test error is {high:g} ({noisy}) and {low:g} ({clean}), a difference of "
    "{value}":
        "En el umbral el error de prueba es {high} ({noisy}) y {low} ({clean}), una diferencia de "
        "{value}",
    "Above that with the most features it is by {first:g} and {second:g}.":
        "Es {first} y {second} mayor que con el mayor número de características.",
    "A ridge that is chosen on held-out examples removes the peak.":
        "Una penalización ridge elegida con ejemplos apartados elimina el pico.",
    "{name}, against N = {n:d}: {left} with the ridge, {peak} without":
        "{name}, frente a N = {n}: {left} con ridge, {peak} sin ella",
    "Test error at the threshold, less that at the classical optimum: {list}":
        "Error de prueba en el umbral, menos el del óptimo clásico: {list}",
    "There is no peak to remove.": "No hay un pico que eliminar.",
    "At most {bound:g} counts as removed.": "A lo más {bound} cuenta como eliminado.",
    "More training examples hurt somewhere: with as many as features, more than with fewer.":
        "En algún punto más ejemplos de entrenamiento perjudican: con tantos como características "
        "se falla más que con menos.",
    "Needs numbers of examples up to that of features.":
        "Se necesitan números de ejemplos hasta el de características.",
    "{name}: from {few:d} to {many:d} examples the test error rises by {value}":
        "{name}: de {few} a {many} ejemplos el error de prueba sube {value}",
    "p = {p:g} by Holm, of {n:d} pairs": "p = {p} según Holm, de {n} pares",
}  # fmt: skip
