"""What Rademacher complexity, shattering and uniform stability say, in Spanish."""

PHRASES = {
    # Rademacher complexity.
    "draws fitted": "sorteos ajustados",
    "Estimate: mean over draws of 2 * train accuracy - 1 of the best epoch, a lower bound of the "
    "supremum. 1 is the most there is; a bound on the error of one half or more allows a coin.":
        "Estimación: media sobre los sorteos de 2 * exactitud de entrenamiento - 1 en la mejor "
        "época, una cota inferior del supremo. El máximo posible es 1; una cota del error de un "
        "medio o más admite lanzar una moneda.",
    "class": "clase",
    "exact mean": "media exacta",
    "lower bound": "cota inferior",
    "upper bound": "cota superior",
    "deviation": "desviación",
    "The supremum is exact for each draw of signs. Exact mean: over all 2^n signs. Deviation, in "
    "standard errors: of the estimate from that mean, else of the mean square from its formula.":
        "El supremo es exacto para cada sorteo de signos. Media exacta: sobre los 2^n signos. "
        "Desviación, en errores estándar: de la estimación respecto de esa media; si no la hay, "
        "de la media de los cuadrados respecto de su fórmula.",
    "trained": "entrenada",
    "supremum, same draws": "supremo, los mismos sorteos",
    "draws where training reached it": "sorteos en que el entrenamiento lo alcanzó",
    "mean over all signs": "media sobre todos los signos",
    "{dataset}, up to {count:d} images": "{dataset}, hasta {count} imágenes",
    "random signs as labels of two classes, {draws:d} draws as one sweep, {optimizer}, learning "
    "rate {rate:g}, at most {epochs:d} epochs":
        "signos al azar como etiquetas de dos clases, {draws} sorteos en un solo barrido, "
        "{optimizer}, tasa de aprendizaje {rate}, {epochs} épocas como máximo",
    "outputs": "salidas",
    "h = sign of the difference of the two logits, in [-1, 1]; the supremum over p(1) - p(0) is "
    "at least as large":
        "h = signo de la diferencia de los dos logits, en [-1, 1]; el supremo sobre p(1) - p(0) "
        "es al menos igual de grande",
    "meaning": "significado",
    "with probability 1 - delta the error is at most the training error plus R plus 3 sqrt(log(2 "
    "/ delta) / 2n)":
        "con probabilidad 1 - delta el error es a lo más el de entrenamiento más R más 3 "
        "sqrt(log(2 / delta) / 2n)",
    "linear, l2 ball": "lineal, bola l2",
    "linear, l1 ball": "lineal, bola l1",
    "Gaussian kernel": "kernel gaussiano",
    "linear classifiers, {n:d} dimensions": "clasificadores lineales, {n} dimensiones",
    "Classes whose supremum is a formula, outputs in [-1, 1]":
        "Clases cuyo supremo es una fórmula, salidas en [-1, 1]",
    "Does training find the supremum? Where it can be enumerated":
        "¿Encuentra el entrenamiento el supremo? Donde se puede enumerar",
    "Rademacher complexity of networks": "Complejidad de Rademacher de las redes",
    "mean over draws, band of two standard errors":
        "media sobre los sorteos, banda de dos errores estándar",
    "Networks: a lower bound, found by training on random signs. The other classes: exact for "
    "each draw, scaled to outputs in [-1, 1], they fall with the square root of n.":
        "Redes: una cota inferior, que se encuentra al entrenar con signos al azar. Las demás "
        "clases: exactas en cada sorteo y escaladas a salidas en [-1, 1]; disminuyen con la raíz "
        "cuadrada de n.",
    "Empirical Rademacher complexity": "Complejidad empírica de Rademacher",
    "above: allows a coin's error": "por encima: admite el error de una moneda",
    "Where the supremum can be enumerated, training comes near it and never above.":
        "Donde se puede enumerar el supremo, el entrenamiento se le acerca y nunca lo rebasa.",
    "Linear classifiers of {points:d} points in {dimensions:d} dimensions, {draws:d} draws: "
    "{trained:g} trained, {supremum:g} the supremum.":
        "Clasificadores lineales de {points} puntos en {dimensions} dimensiones, {draws} sorteos: "
        "{trained} entrenando, {supremum} el supremo.",
    "Linear programs say which signs a hyperplane takes.":
        "Con programas lineales se sabe qué signos reproduce un hiperplano.",
    "A network that fits random signs has a Rademacher complexity of about 1, and the bound says "
    "nothing.":
        "Una red que ajusta signos al azar tiene una complejidad de Rademacher cercana a 1, y la "
        "cota no dice nada.",
    "{name} ({parameters:d} parameters): {estimate:g} +- {error:g} on {points:d} points, the "
    "least on fewer {least:g}.":
        "{name} ({parameters} parámetros): {estimate} +- {error} con {points} puntos; el mínimo "
        "con menos puntos es {least}.",
    "About 1 for networks that fit random labels.":
        "Cerca de 1 para redes que ajustan etiquetas al azar.",
    "It falls when there are more points than a network can memorize.":
        "Disminuye cuando hay más puntos de los que una red puede memorizar.",
    "Needs several numbers of points.": "Se necesitan varios números de puntos.",
    "{name} ({parameters:d} parameters): {first:g} on {few:d} points, {last:g} +- {error:g} on "
    "{many:d}.":
        "{name} ({parameters} parámetros): {first} con {few} puntos, {last} +- {error} con {many}.",
    "Linear and kernel classes have the complexity that their formulas give.":
        "Las clases lineales y de kernel tienen la complejidad que dan sus fórmulas.",
    "{n:d} exact values: the farthest estimate is {far:g} standard errors off":
        "{n} valores exactos: la estimación más lejana está a {far} errores estándar",
    "all lie within their bounds.": "todas están dentro de sus cotas.",
    "not all lie within their bounds.": "no todas están dentro de sus cotas.",
    "Proved.": "Demostrado.",
    # Shattering.
    "points / weights": "puntos / pesos",
    "dichotomies": "dicotomías",
    "all of them": "todas",
    "share fitted": "proporción ajustada",
    "separable": "separables",
    "Cover's share": "proporción de Cover",
    "Weights: of the difference of the two logits, which is all that classes depend on. All of "
    "them: every dichotomy but for exchanged classes, else a sample drawn by seed. Separable: the "
    "share of these very dichotomies that a hyperplane separates, by linear programs.":
        "Pesos: de la diferencia de los dos logits, que es lo único de lo que dependen las "
        "clases. Todas: todas las dicotomías, salvo intercambio de clases; si no, una muestra "
        "sorteada con la semilla. Separables: la proporción de estas mismas dicotomías que un "
        "hiperplano separa, según programas lineales.",
    "shattered": "fragmentados",
    "capacity": "capacidad",
    "capacity / weights": "capacidad / pesos",
    "Shattered: the most points of which every dichotomy was tried and fitted. Capacity: the "
    "number of points of which half of the dichotomies are fitted, interpolated.":
        "Fragmentados: el mayor número de puntos de los que se probaron y ajustaron todas las "
        "dicotomías. Capacidad: el número de puntos de los que se ajusta la mitad de las "
        "dicotomías, por interpolación.",
    "{most:d} at most, in {n:d} dimensions: {what}":
        "{most} como máximo, en {n} dimensiones: {what}",
    "Gaussian": "gaussianos",
    "Gaussian points": "puntos gaussianos",
    "random projections of {dataset}": "proyecciones al azar de {dataset}",
    "at most {n:d} dichotomies of each set of points, as one sweep: {optimizer}, learning rate "
    "{rate:g}, {steps:d} steps on all points at once, {starts:d} starts":
        "a lo más {n} dicotomías de cada conjunto de puntos, en un solo barrido: {optimizer}, "
        "tasa de aprendizaje {rate}, {steps} pasos con todos los puntos a la vez, {starts} inicios",
    "Share of dichotomies that are fitted": "Proporción de dicotomías que se ajustan",
    "Memorization capacity": "Capacidad de memorización",
    "{name}, {n:d} weights": "{name}, {n} pesos",
    "Cover's theorem": "teorema de Cover",
    "Share of the dichotomies of n points that training fits. Cover's theorem holds for linear "
    "classifiers: of 2^n, 2 times the sum of C(n - 1, k) over k < weights.":
        "Proporción de las dicotomías de n puntos que ajusta el entrenamiento. El teorema de "
        "Cover vale para clasificadores lineales: de 2^n, 2 veces la suma de C(n - 1, k) sobre k "
        "< pesos.",
    "How many labelings of n points are fitted": "Cuántos etiquetados de n puntos se ajustan",
    "Linear classifiers fit the share of dichotomies that Cover's theorem counts.":
        "Los clasificadores lineales ajustan la proporción de dicotomías que cuenta el teorema de "
        "Cover.",
    "Trained, separable in the sample, Cover's: {list}.":
        "Entrenando, separables en la muestra, según Cover: {list}.",
    "{trained:g}, {separable:g} and {cover:g} of {n:d} points":
        "{trained}, {separable} y {cover} con {n} puntos",
    "Needs the network linear.": "Se necesita la red linear.",
    "Proved (Cover 1965), for points in general position.":
        "Demostrado (Cover 1965), para puntos en posición general.",
    "A linear classifier shatters as many points as it has weights, and no more.":
        "Un clasificador lineal fragmenta tantos puntos como pesos tiene, y no más.",
    "Needs the network linear, and all dichotomies of one point more than its weights.":
        "Se necesitan la red linear y todas las dicotomías de un punto más que sus pesos.",
    "{n:d} points shattered, {weights:d} weights; of one more {share:g} of all dichotomies.":
        "{n} puntos fragmentados, {weights} pesos; con uno más, {share} de todas las dicotomías.",
    "The VC dimension of hyperplanes.": "La dimensión VC de los hiperplanos.",
    "Capacity grows with the number of weights.": "La capacidad crece con el número de pesos.",
    "Needs two networks, each with shares above and below one half.":
        "Se necesitan dos redes, cada una con proporciones por encima y por debajo de un medio.",
    "{name} {capacity:d} of {weights:d} weights": "{name} {capacity} con {weights} pesos",
    "{least:g} to {most:g} points per weight.": "{least} a {most} puntos por peso.",
    "Training may miss some.": "El entrenamiento puede no encontrar algunas.",
    "Theorem 1: 2n + d weights suffice for n points.":
        "Teorema 1: 2n + d pesos bastan para n puntos.",
    "Networks fit any labels of half as many points as they have weights.":
        "Las redes ajustan cualesquiera etiquetas de la mitad de puntos que pesos tienen.",
    "Share fitted: {list}.": "Proporción ajustada: {list}.",
    "{name} {share:g} of {n:d}": "{name} {share} con {n}",
    "Needs a network with a hidden layer.": "Se necesita una red con una capa oculta.",
    "Theorem 1: some network of 2n + d weights does; here SGD or Adam has to find it.":
        "Teorema 1: alguna red de 2n + d pesos lo logra; aquí SGD o Adam tienen que encontrarla.",
    # Uniform stability.
    "distance of weights": "distancia de los pesos",
    "train loss, mean": "pérdida de entrenamiento, media",
    "train loss, most": "pérdida de entrenamiento, máxima",
    "test loss, mean": "pérdida de prueba, media",
    "test loss, most": "pérdida de prueba, máxima",
    "on the replaced": "en el reemplazado",
    "gap": "brecha",
    "After the last epoch, means over the twins of a seed. Losses: how far those of twins are "
    "apart, 1 - p(label), over the training and the test examples; on the replaced: on the one "
    "that only one of them has seen. Test labels are drawn as the training labels are. Gap: test "
    "loss less training loss of the twin that has every example.":
        "Tras la última época, medias sobre las gemelas de una semilla. Pérdidas: cuánto difieren "
        "las de las gemelas, 1 - p(etiqueta), sobre los ejemplos de entrenamiento y los de "
        "prueba; en el reemplazado: en el que solo una de ellas ha visto. Las etiquetas de prueba "
        "se sortean como las de entrenamiento. Brecha: pérdida de prueba menos pérdida de "
        "entrenamiento de la gemela que tiene todos los ejemplos.",
    "Twins that differ in one example": "Redes gemelas que difieren en un ejemplo",
    "{seeds:d} seeds, {twins:d} twins of each, one sweep of {runs:d} runs: {optimizer}, learning "
    "rate {rate:g}, batches of {batch:d}, {epochs:d} epochs":
        "{seeds} semillas, {twins} gemelas de cada una, un solo barrido de {runs} entrenamientos: "
        "{optimizer}, tasa de aprendizaje {rate}, lotes de {batch}, {epochs} épocas",
    "twins": "gemelas",
    "example i is replaced by a copy of example j, both drawn by seed":
        "el ejemplo i se reemplaza por una copia del ejemplo j, ambos sorteados con la semilla",
    "{name}, most": "{name}, máxima",
    "{name}, mean": "{name}, media",
    "Twins share everything but one training example.":
        "Las gemelas comparten todo salvo un ejemplo de entrenamiento.",
    "Over all test examples.": "Sobre todos los ejemplos de prueba.",
    "How far the weights of twins move apart": "Cuánto se separan los pesos de las gemelas",
    "normalized distance": "distancia normalizada",
    "How far the losses of twins move apart": "Cuánto se separan las pérdidas de las gemelas",
    "difference of 1 - p(label)": "diferencia de 1 - p(etiqueta)",
    "Twins' weights move further apart on random labels than on true ones.":
        "Los pesos de las gemelas se separan más con etiquetas al azar que con las verdaderas.",
    "So do their losses on fresh examples.": "También sus pérdidas en ejemplos nuevos.",
    "The normalized distance": "La distancia normalizada",
    "The mean difference of losses": "La diferencia media de las pérdidas",
    "{what}: {random:g} on random, {true:g} on true labels; the difference is {value:g} ({low:g} "
    "to {high:g}, 95 % over {n:d} seeds).":
        "{what}: {random} con etiquetas al azar, {true} con las verdaderas; la diferencia es "
        "{value} ({low} a {high}, 95 % sobre {n} semillas).",
    "One example out of n changes some loss by more than {far:d} / n, on every kind of labels.":
        "Un ejemplo de n cambia alguna pérdida en más de {far} / n, con todo tipo de etiquetas.",
    "section 2.2: uniform stability fails": "sección 2.2: la estabilidad uniforme falla",
    "The largest change on a test example: at least {least:g} ({name}, seed {seed:d}); {far:d} / "
    "n is {bound:g}.":
        "El mayor cambio en un ejemplo de prueba: al menos {least} ({name}, semilla {seed}); "
        "{far} / n es {bound}.",
    "Uniform stability has to hold for every example, and needs about 1 / n.":
        "La estabilidad uniforme debe cumplirse para todo ejemplo, y requiere cerca de 1 / n.",
    "No uniform stability can explain why true labels generalize.":
        "Ninguna estabilidad uniforme puede explicar por qué las etiquetas verdaderas generalizan.",
    "It does not depend on labels, so it is at least the gap on random ones, {large:g} of a loss "
    "of at most 1; the gap on true labels is {small:g}.":
        "No depende de las etiquetas, así que es al menos la brecha con etiquetas al azar, "
        "{large} de una pérdida de a lo más 1; la brecha con las verdaderas es {small}.",
    "The same algorithm fits random labels, so a property of the algorithm alone says nothing.":
        "El mismo algoritmo ajusta etiquetas al azar, así que una propiedad del algoritmo por sí "
        "sola no dice nada.",
}  # fmt: skip
