"""What is said of which examples are memorized, in Spanish."""

PHRASES = {
    # Scores.
    "mean mem": "mem media",
    "on corrupted labels": "con etiquetas corrompidas",
    "on clean labels": "con etiquetas limpias",
    "mem of at least {least:g}": "mem de al menos {least}",
    "mem of at least": "mem de al menos",
    "confirmed on both halves": "confirmados en ambas mitades",
    "error, median": "error, mediana",
    "AUROC of corrupted labels": "AUROC de las etiquetas corrompidas",
    "rank correlation with the network's": "correlación de rangos con la de la red",
    "nearest": "vecino más cercano",
    "mem: how much more often runs are right on an example that they train on. ±: half of the 95 "
    "% interval over groups of ten runs. Confirmed: the share of the examples that reach it on "
    "each of two halves of the runs by itself, which chance makes too small, as it makes the "
    "share of all runs too large. Error: standard error of one example's score, by jackknife. "
    "nearest: one nearest neighbour, over all subsets in closed form; kernel: a Gaussian kernel "
    "machine, each example left out of the whole training set once.":
        "mem: cuánto más a menudo aciertan las redes en un ejemplo con el que entrenan. ±: la "
        "mitad del intervalo del 95 % sobre grupos de diez redes. Confirmados: la proporción de "
        "los ejemplos que la alcanzan en cada una de dos mitades de las redes por separado, que "
        "el azar hace demasiado pequeña, así como hace demasiado grande la proporción con todas "
        "las redes. Error: error estándar del puntaje de un ejemplo, por jackknife. vecino más "
        "cercano: uno solo, sobre todos los subconjuntos en forma cerrada; kernel: una máquina de "
        "kernel gaussiano, dejando cada ejemplo una vez fuera del conjunto de entrenamiento "
        "completo.",
    "The largest of many scores are larger than they would be in other runs.":
        "Los mayores de muchos puntajes son más grandes de lo que serían en otras redes.",
    "Memorization scores": "Puntajes de memorización",
    "95 % interval by jackknife over groups of runs":
        "intervalo del 95 % por jackknife sobre grupos de redes",
    "How much is memorized of how many examples, {name}":
        "Cuánto se memoriza de cuántos ejemplos, {name}",
    "Share of the examples in each bin of 0.05.":
        "Proporción de los ejemplos en cada intervalo de 0.05.",
    "memorization score": "puntaje de memorización",
    "share of the examples": "proporción de los ejemplos",
    "{name}, clean labels": "{name}, etiquetas limpias",
    "{name}, corrupted labels": "{name}, etiquetas corrompidas",
    "id {id:d}": "id {id}",
    "Right with the example in training, and without":
        "Aciertos con el ejemplo en el entrenamiento, y sin él",
    "The memorization score is how far a point lies above the diagonal.":
        "El puntaje de memorización es cuánto está un punto por encima de la diagonal.",
    "right without it": "aciertos sin él",
    "right with it": "aciertos con él",
    "most memorized": "los más memorizados",
    "least memorized": "los menos memorizados",
    "The most and the least memorized examples, {name}":
        "Los ejemplos más y menos memorizados, {name}",
    "Each with its id, its label, the true one where it is another, and its score ± standard "
    "error.":
        "Cada uno con su id, su etiqueta, la verdadera si es otra, y su puntaje ± error estándar.",
    "{given}, truly {true}": "{given}, en verdad {true}",
    # What was done.
    "subsets": "subconjuntos",
    "{kept:d} of them for each of {runs:d} runs, in groups of {size:d} that leave every example "
    "out of {out:d}; what is said of memorization is said of training sets of that size":
        "{kept} de ellas para cada una de {runs} redes, en grupos de {size} que dejan cada "
        "ejemplo fuera de {out}; lo que se dice de la memorización vale para conjuntos de "
        "entrenamiento de ese tamaño",
    "{model} {sizes}, {optimizer}, learning rate {rate:g}, batches of {batch:d}, {epochs:d} "
    "epochs; {retrain:d} further seeds for retraining":
        "{model} {sizes}, {optimizer}, tasa de aprendizaje {rate}, lotes de {batch}, {epochs} "
        "épocas; {retrain} semillas más para reentrenar",
    "Data Banzhaf values": "valores Data Banzhaf",
    "{n:d} runs on halves of the training set":
        "{n} redes con mitades del conjunto de entrenamiento",
    # Networks without the most memorized examples.
    "share of the training set that is removed":
        "proporción del conjunto de entrenamiento que se quita",
    "removed": "quitados",
    "of them corrupted": "de ellos, corrompidos",
    "test acc. without them": "exactitud de prueba sin ellos",
    "without as many random ones": "sin otros tantos al azar",
    "Means over the retraining seeds. Difference: the accuracy without random examples less that "
    "without the most memorized ones, with its 95 % interval, paired over seeds: above 0, the "
    "memorized ones are worth more. Thresholds that fewer than {fewest:d} examples reach are not "
    "trained.":
        "Medias sobre las semillas de reentrenamiento. Diferencia: la exactitud sin ejemplos al "
        "azar menos la que hay sin los más memorizados, con su intervalo del 95 %, pareada por "
        "semilla: por encima de 0, los memorizados valen más. No se entrena con umbrales que "
        "alcanzan menos de {fewest} ejemplos.",
    "Without the most memorized examples": "Sin los ejemplos más memorizados",
    "{name}: without the most memorized": "{name}: sin los más memorizados",
    "{name}: without random ones": "{name}: sin otros al azar",
    "the most memorized": "los más memorizados",
    "random ones": "otros al azar",
    "Test accuracy after removing examples": "Exactitud de prueba tras quitar ejemplos",
    "Networks trained anew without the examples whose memorization score reaches a threshold, and "
    "without as many random ones.":
        "Redes entrenadas de nuevo sin los ejemplos cuyo puntaje de memorización alcanza un "
        "umbral, y sin otros tantos al azar.",
    "95 % interval, paired over seeds": "intervalo del 95 %, pareado por semilla",
    "What the most memorized examples are worth": "Lo que valen los ejemplos más memorizados",
    "Test accuracy without random examples less that without as many of the most memorized: above "
    "0 these are worth more, below 0 they do harm.":
        "Exactitud de prueba sin ejemplos al azar menos la que hay sin otros tantos de los más "
        "memorizados: por encima de 0 estos valen más, por debajo de 0 perjudican.",
    "as much as random ones": "tanto como otros al azar",
    # Pairs.
    "training example": "ejemplo de entrenamiento",
    "test example": "ejemplo de prueba",
    "influence, choosing half": "influencia, mitad que elige",
    "measuring half": "mitad que mide",
    "Ids as in scores.csv. Pairs of one class, the training example with a memorization score of "
    "at least {memorized:g} and an influence of at least {influence:g}, both on every other group "
    "of runs; the other half of the runs measures them. The choosing half says too much: it "
    "chose. The first {listed:d} of each setting; {file} has all.":
        "Los id son los de scores.csv. Pares de una misma clase, cuyo ejemplo de entrenamiento "
        "tiene un puntaje de memorización de al menos {memorized} y una influencia de al menos "
        "{influence}, ambos en uno de cada dos grupos de redes; la otra mitad de las redes los "
        "mide. La mitad que elige exagera, pues eligió. Los primeros {listed} de cada variante; "
        "{file} los tiene todos.",
    "Pairs of a training and a test example":
        "Pares de un ejemplo de entrenamiento y uno de prueba",
    "influence {value:g}": "influencia {value}",
    "training {id:d}": "entrenamiento {id}",
    "test {id:d}": "prueba {id}",
    "Who helps whom, {name}": "Quién ayuda a quién, {name}",
    "A memorized training example, and beside it a test example that networks rather get right "
    "where they have trained on it. Chosen on half of the runs, measured on the others.":
        "Un ejemplo de entrenamiento memorizado, y junto a él un ejemplo de prueba en el que las "
        "redes aciertan más si entrenaron con aquel. Elegidos con la mitad de las redes, medidos "
        "con las otras.",
    # Published scores.
    "score here": "puntaje propio",
    "published": "publicado",
    "rank correlation": "correlación de rangos",
    "Spearman's rank correlation over examples, with its 95 % interval (Bonett and Wright 2000), "
    "which knows of the chance in which examples there are, not of that in which runs. out: how "
    "often runs are right that do not train on an example; mem: its memorization score. Networks, "
    "sizes of subsets and training differ from those of the publication.":
        "Correlación de rangos de Spearman sobre los ejemplos, con su intervalo del 95 % (Bonett "
        "y Wright 2000), que toma en cuenta el azar de qué ejemplos hay, no el de qué redes. out: "
        "con qué frecuencia aciertan las redes que no entrenan con un ejemplo; mem: su puntaje de "
        "memorización. Las redes, los tamaños de los subconjuntos y el entrenamiento difieren de "
        "los de la publicación.",
    "Beside published scores": "Junto a puntajes publicados",
    "mem": "mem",
    "out": "out",
    # Claims.
    "Feldman and Zhang (2020)": "Feldman y Zhang (2020)",
    "groups of runs": "grupos de redes",
    "permutations": "permutaciones",
    "Corrupted labels are memorized more than clean ones.":
        "Las etiquetas corrompidas se memorizan más que las limpias.",
    "{name}: mean score higher by {value:g} ({low:g} to {high:g}, 95 % over groups of runs)":
        "{name}: puntaje medio mayor en {value} ({low} a {high}, 95 % sobre grupos de redes)",
    "Needs label noise with {n:d} examples of each kind.":
        "Se necesita ruido en las etiquetas con {n} ejemplos de cada tipo.",
    "Expected from the definition: a label that the others do not tell must be memorized.":
        "Se espera por la definición: una etiqueta que las demás no revelan debe memorizarse.",
    "Without the most memorized examples networks test worse than without as many random ones.":
        "Sin los ejemplos más memorizados las redes tienen peor exactitud de prueba que sin otros "
        "tantos al azar.",
    "Figure 2: so it is on CIFAR-100 and ImageNet, and hardly on MNIST.":
        "Figura 2: así es en CIFAR-100 e ImageNet, y apenas en MNIST.",
    "With corrupted labels it is the other way round: they test better without the most memorized "
    "examples.":
        "Con etiquetas corrompidas es al revés: tienen mejor exactitud de prueba sin los ejemplos "
        "más memorizados.",
    "No number in the paper: its labels are true.":
        "El artículo no da un número: sus etiquetas son las verdaderas.",
    "Needs {what}, {n:d} examples that reach a threshold, and two retraining seeds.":
        "Se necesitan {what}, {n} ejemplos que alcancen un umbral, y dos semillas de "
        "reentrenamiento.",
    "Accuracy without random examples less that without memorized ones: {list}.":
        "Exactitud sin ejemplos al azar menos la que hay sin los memorizados: {list}.",
    "{name}, mem of at least {threshold:g} ({removed:d} removed): {value:g} ({low:g} to "
    "{high:g}), p = {p:g}":
        "{name}, mem de al menos {threshold} ({removed} quitados): {value} ({low} a {high}), p = "
        "{p}",
    "95 % intervals paired over {n:d} seeds":
        "intervalos del 95 % pareados por semilla ({n} semillas)",
    "p by Holm": "p según Holm",
    "Pairs that half of the runs choose for an influence of {influence:g} keep more than half of "
    "it on the other half.":
        "Los pares que la mitad de las redes elige por una influencia de {influence} conservan "
        "más de la mitad de ella en la otra mitad.",
    "Two halves of its runs choose nearly the same pairs.":
        "Dos mitades de sus redes eligen casi los mismos pares.",
    "So do those that are chosen where labels are corrupted.":
        "También los que se eligen donde las etiquetas están corrompidas.",
    "{name}: {n:d} pairs, chosen at {chosen:g} in the mean, measured at {value:g} ({low:g} to "
    "{high:g}, 95 % over groups of runs)":
        "{name}: {n} pares, elegidos con {chosen} en promedio, medidos con {value} ({low} a "
        "{high}, 95 % sobre grupos de redes)",
    "Needs such labels, {pairs:d} pairs and 60 runs.":
        "Se necesitan tales etiquetas, {pairs} pares y 60 redes.",
    "The more labels are corrupted, the more is memorized: as much as runs fail to guess of "
    "labels that they have not seen.":
        "Cuantas más etiquetas están corrompidas, más se memoriza: tanto como las redes no logran "
        "adivinar de las etiquetas que no han visto.",
    "Needs two levels of label noise.": "Se necesitan dos niveles de ruido en las etiquetas.",
    "Mean score {list}; the least rise is {rise}; of labels that they train on runs get at least "
    "{fitted:g} right.":
        "Puntaje medio {list}; el menor aumento es {rise}; de las etiquetas con las que entrenan, "
        "las redes aciertan al menos {fitted}.",
    "{value:g} ({name}; labels not seen are guessed with {outside:g})":
        "{value} ({name}; las etiquetas no vistas se adivinan con {outside})",
    "{value:g} ({low:g} to {high:g}, 95 % over {what})":
        "{value} ({low} a {high}, 95 % sobre {what})",
    "The mean score is the accuracy on labels that are trained on less that on those that are not.":
        "El puntaje medio es la exactitud en las etiquetas con las que se entrena menos la de "
        "aquellas con las que no.",
    "Of the true labels more than {share:g} are memorized, with a score of {score:g}.":
        "De las etiquetas verdaderas más de {share} se memorizan, con un puntaje de {score}.",
    "Needs true labels.": "Se necesitan etiquetas verdaderas.",
    "{n:d} of {count:d} reach it on each half of the runs by itself: {share}; {all:d} on all "
    "runs, which chance makes too many.":
        "{n} de {count} lo alcanzan en cada mitad de las redes por separado: {share}; {all} con "
        "todas las redes, que el azar hace demasiados.",
    "Most of them on ImageNet and CIFAR-100, hardly any on MNIST.":
        "La mayoría de ellas en ImageNet y CIFAR-100, casi ninguna en MNIST.",
    "Whether a run has trained on an example shows more where its label is corrupted.":
        "Si una red entrenó con un ejemplo se nota más cuando su etiqueta está corrompida.",
    "{name}: AUROC higher by {value:g} ({low:g} to {high:g}, 95 % over groups of runs)":
        "{name}: AUROC mayor en {value} ({low} a {high}, 95 % sobre grupos de redes)",
    "Needs label noise with {n:d} labels of each kind.":
        "Se necesita ruido en las etiquetas con {n} etiquetas de cada tipo.",
    "Where membership is permuted the attack tells nothing.":
        "Donde se permuta la pertenencia el ataque no revela nada.",
    "AUROC: {list}; two-sided, by Holm.": "AUROC: {list}; de dos colas, según Holm.",
    "{name} {value:g} ({low:g} to {high:g}, 95 % over {what})":
        "{name} {value} ({low} a {high}, 95 % sobre {what})",
    "Needs the learner network.": "Se necesita el método network.",
    "0.5 by symmetry.": "0.5 por simetría.",
    "The estimate from the subsets of the runs agrees with the closed form where there is one.":
        "La estimación con los subconjuntos de las redes coincide con la forma cerrada donde la "
        "hay.",
    "Nearest neighbour, share of the examples within {n:d} standard errors: {list}; {least:g} is "
    "asked for.":
        "Vecino más cercano, proporción de los ejemplos a menos de {n} errores estándar: {list}; "
        "se pide {least}.",
    "{share:g} ({name})": "{share} ({name})",
    "Needs the learner nearest.": "Se necesita el método nearest.",
    "All but 6 of 100,000 by chance.": "Todos menos 6 de 100,000, por azar.",
    # Membership inference.
    "TPR at FPR 0.1 %": "TPR con FPR de 0.1 %",
    "TPR at FPR 1 %": "TPR con FPR de 1 %",
    "AUROC, corrupted labels": "AUROC, etiquetas corrompidas",
    "AUROC, clean labels": "AUROC, etiquetas limpias",
    "AUROC, permuted membership": "AUROC, pertenencia permutada",
    "The likelihood-ratio attack of Carlini et al. (2022) on every run, with the runs of all "
    "other groups as shadow models; means over groups of ten runs, ± half of the 95 % interval. "
    "Permuted membership: the whole attack again, where it is drawn at random which runs of a "
    "group are said to have an example; the mean of {n:d} draws.":
        "El ataque por razón de verosimilitudes de Carlini et al. (2022) a cada red, con las "
        "redes de todos los demás grupos como modelos sombra; medias sobre grupos de diez redes, "
        "± la mitad del intervalo del 95 %. Pertenencia permutada: todo el ataque otra vez, "
        "sorteando de cuáles redes de un grupo se dice que tienen un ejemplo; la media de {n} "
        "sorteos.",
    "Membership inference": "Inferencia de pertenencia",
    "Who was in the training set?": "¿Quién estaba en el conjunto de entrenamiento?",
    "The likelihood-ratio attack on all runs together.":
        "El ataque por razón de verosimilitudes a todas las redes juntas.",
    "false positive rate": "tasa de falsos positivos",
    "true positive rate": "tasa de verdaderos positivos",
}  # fmt: skip
