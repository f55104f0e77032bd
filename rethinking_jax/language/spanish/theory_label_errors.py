"""What is said of which score finds the labels that are wrong, in Spanish."""

PHRASES = {
    # The scores.
    "score": "puntaje",
    "loss, last epoch": "pérdida, última época",
    "cumulative loss": "pérdida acumulada",
    "area under the margin": "área bajo el margen",
    "forgetting events": "eventos de olvido",
    "learned last": "aprendidos al último",
    "wrong events": "eventos de fallo",
    "low confidence": "baja confianza",
    "variability": "variabilidad",
    "low confidence, last epoch": "baja confianza, última época",
    "EL2N, last epoch": "EL2N, última época",
    "EL2N, early": "EL2N, temprano",
    "GraNd, at the start": "GraNd, al inicio",
    "GraNd, early": "GraNd, temprano",
    "prediction depth": "profundidad de predicción",
    "low confidence, out of fold": "baja confianza, fuera del pliegue",
    "margin, out of fold": "margen, fuera del pliegue",
    "flag of the confident joint": "marca de la conjunta confiada",
    "1 - C-score": "1 - C-score",
    "memorization": "memorización",
    "nearest neighbours in pixels": "vecinos más cercanos en píxeles",
    # What was done.
    "{dataset}: {n:d} training examples": "{dataset}: {n} ejemplos de entrenamiento",
    "{corruptions:d} corruptions of each setting, {inits:d} networks on all examples of each, one "
    "sweep of {runs:d} runs: {optimizer}, learning rate {rate:g}, batches of {batch:d}, "
    "{epochs:d} epochs":
        "{corruptions} corrupciones de cada variante, {inits} redes con todos los ejemplos de "
        "cada una, un solo barrido de {runs} entrenamientos: {optimizer}, tasa de aprendizaje "
        "{rate}, lotes de {batch}, {epochs} épocas",
    "early scores": "puntajes tempranos",
    "after epoch {n:d}": "tras la época {n}",
    "out of fold": "fuera del pliegue",
    "one network for each of {n:d} folds": "una red por cada uno de {n} pliegues",
    "{setting}: {n:d} networks on 70 % of the examples, {epochs:d} epochs":
        "{setting}: {n} redes con 70 % de los ejemplos, {epochs} épocas",
    "symmetric": "simétrico",
    "pair": "por pares",
    # Tables.
    "Share of label errors among as many suspects as there are errors":
        "Proporción de errores de etiqueta entre tantos sospechosos como errores hay",
    "Area under the ROC curve of each score": "Área bajo la curva ROC de cada puntaje",
    "Average precision of each score": "Precisión promedio de cada puntaje",
    "By chance: {chances}.": "Por azar: {chances}.",
    "Means over the corruptions of a setting, in brackets the 95 % interval over them.":
        "Medias sobre las corrupciones de una variante, entre corchetes el intervalo del 95 % "
        "sobre ellas.",
    "What each score finds more than the {score}":
        "Lo que cada puntaje encuentra de más frente a: {score}",
    "Share of label errors among as many suspects as there are errors, less that of the loss at "
    "the last epoch on the same corruptions, with the paired 95 % interval. A star: above 0 by "
    "Holm's correction over all scores of the column, 5 %.":
        "Proporción de errores de etiqueta entre tantos sospechosos como errores hay, menos la de "
        "la pérdida en la última época con las mismas corrupciones, con el intervalo pareado de "
        "95 %. Un asterisco: por encima de 0 según la corrección de Holm sobre todos los puntajes "
        "de la columna, 5 %.",
    "{low:g} to {high:g} *": "{low} a {high} *",
    "corrupted": "corrompidas",
    "flagged": "marcadas",
    "of the flagged, errors": "de las marcadas, errores",
    "of the errors, flagged": "de los errores, marcados",
    "Confident learning says by itself how many errors there are: it flags what networks that "
    "have not seen an example are sure is of another class. Means over the corruptions.":
        "El aprendizaje confiado dice por sí mismo cuántos errores hay: marca lo que las redes "
        "que no han visto un ejemplo están seguras de que es de otra clase. Medias sobre las "
        "corrupciones.",
    "Labels that confident learning flags": "Etiquetas que marca el aprendizaje confiado",
    "{setting}: Spearman's rank correlation over all examples, mean over the corruptions.":
        "{setting}: correlación de rangos de Spearman sobre todos los ejemplos, media sobre las "
        "corrupciones.",
    "How alike the scores rank the examples":
        "Qué tan parecido ordenan los puntajes a los ejemplos",
    # Figures.
    "loss of the epoch": "pérdida de la época",
    "EL2N of the epoch": "EL2N de la época",
    "margin of the epoch": "margen de la época",
    "What share of the suspects is wrong, and what share of the errors is found":
        "Qué proporción de los sospechosos está mal, y qué proporción de los errores se encuentra",
    "{setting}, its first corruption: {wrong:d} wrong labels of {n:d}.":
        "{setting}, su primera corrupción: {wrong} etiquetas equivocadas de {n}.",
    "In the order of their average precision.": "En el orden de su precisión promedio.",
    "recall: share of the errors found":
        "exhaustividad: proporción de los errores que se encuentran",
    "precision: share of the suspects": "precisión: proporción de los sospechosos",
    "How well the facts of one epoch, and sums up to it, find the errors":
        "Qué tan bien encuentran los errores los datos de una época, y las sumas hasta ella",
    "{setting}. Each by one network: mean over networks, then over the corruptions.":
        "{setting}. Cada uno con una red: media sobre las redes, luego sobre las corrupciones.",
    "Each by one network: mean over networks, then over the corruptions.":
        "Cada uno con una red: media sobre las redes, luego sobre las corrupciones.",
    "area under the ROC curve": "área bajo la curva ROC",
    "The loss of one epoch finds the errors until they are memorized":
        "La pérdida de una época encuentra los errores hasta que se memorizan",
    "area under the ROC curve of the loss": "área bajo la curva ROC de la pérdida",
    "mean of {n:d} corruptions, band from least to most":
        "media de {n} corrupciones, banda del mínimo al máximo",
    "right labels": "etiquetas correctas",
    "wrong labels": "etiquetas equivocadas",
    "Confidence and variability of every example over training":
        "Confianza y variabilidad de cada ejemplo durante el entrenamiento",
    "{setting}, its first corruption; means over networks of the mean and of the standard "
    "deviation over epochs of the probability of the given label (Swayamdipta et al. 2020).":
        "{setting}, su primera corrupción; medias sobre las redes de la media y de la desviación "
        "estándar sobre las épocas de la probabilidad de la etiqueta dada (Swayamdipta et al. "
        "2020).",
    "confidence": "confianza",
    # Suspects.
    "given: {label}": "dada: {label}",
    "true: {label}": "verdadera: {label}",
    "same as true: {label}": "igual a la verdadera: {label}",
    "{setting}, by {score}: {hits:d} of {n:d} are wrong":
        "{setting}, según {score}: {hits} de {n} están mal",
    "The most suspicious labels": "Las etiquetas más sospechosas",
    "With the label that was given and the true one. Where both are the same the score suspects a "
    "right label, or one that was wrong in the data set to begin with.":
        "Con la etiqueta dada y la verdadera. Donde ambas son iguales el puntaje sospecha de una "
        "etiqueta correcta, o de una que ya estaba mal en el conjunto de datos.",
    # Claims.
    "{ours}: {told}; p = {p:g} by Holm.": "{ours}: {told}; p = {p} según Holm.",
    "Needs both scores, and at least {n:d} corrupted labels.":
        "Se necesitan ambos puntajes, y al menos {n} etiquetas corrompidas.",
    "Needs at least {n:d} corrupted labels.": "Se necesitan al menos {n} etiquetas corrompidas.",
    "Precision at the true number, {better} less {worse}, over {settings}":
        "Precisión con el número verdadero de errores, «{better}» menos «{worse}», sobre "
        "{settings}",
    "Precision at the true number, difference, over {settings}":
        "Precisión con el número verdadero de errores, diferencia, sobre {settings}",
    "Precision at the true number, symmetric less pair noise, of {strengths}":
        "Precisión con el número verdadero de errores, ruido simétrico menos ruido por pares, de "
        "{strengths}",
    "Once the noise is fitted, {score} over all epochs finds more label errors than the loss at "
    "the last epoch.":
        "Una vez ajustado el ruido, un puntaje sumado sobre todas las épocas ({score}) encuentra "
        "más errores de etiqueta que la pérdida en la última época.",
    "Pleiss et al. 2020 and Ravikumar et al. 2025 sum over training.":
        "Pleiss et al. 2020 y Ravikumar et al. 2025 suman durante el entrenamiento.",
    "Needs both scores, and networks that fit {share} of the corrupted labels: give it more "
    "epochs.":
        "Se necesitan ambos puntajes, y redes que ajusten {share} de las etiquetas corrompidas: "
        "hay que darle más épocas.",
    "The loss of a single epoch finds more label errors before the end than at the end.":
        "La pérdida de una sola época encuentra más errores de etiqueta antes del final que al "
        "final.",
    "Later the network has memorized the wrong labels, too.":
        "Después la red ha memorizado también las etiquetas equivocadas.",
    "AUROC of the loss is highest after epoch {best} of {epochs:d} ({settings}), which only who "
    "knows the errors can tell; after epoch {early:d} it is {value:g}, at the end {last:g}.":
        "El AUROC de la pérdida es máximo tras la época {best} de {epochs} ({settings}), lo que "
        "solo puede saber quien conoce los errores; tras la época {early} es {value}, al final "
        "{last}.",
    "Best epoch by the other corruptions less the last":
        "La mejor época según las otras corrupciones menos la última",
    "The confidence of networks that have not seen an example finds more label errors than that "
    "of networks that have, at the last epoch.":
        "La confianza de las redes que no han visto un ejemplo encuentra más errores de etiqueta "
        "que la de las que sí lo han visto, en la última época.",
    "Northcutt et al. 2021 ask for probabilities out of sample.":
        "Northcutt et al. 2021 piden probabilidades fuera de la muestra.",
    "When an example is learned for good finds more label errors than how often it is forgotten.":
        "El momento en que un ejemplo se aprende para siempre revela más errores de etiqueta que "
        "el número de veces que se olvida.",
    "An example that is never learned counts as forgotten in every epoch.":
        "Un ejemplo que nunca se aprende cuenta como olvidado en cada época.",
    "The area under the margin finds fewer label errors where a class is always mistaken for the "
    "same other one.":
        "El área bajo el margen encuentra menos errores de etiqueta donde una clase se confunde "
        "siempre con la misma otra.",
    "Pleiss et al. 2020 state asymmetric noise as a failure.":
        "Pleiss et al. 2020 señalan el ruido asimétrico como un caso en que falla.",
    "Needs symmetric and pair noise of the same strength.":
        "Se necesitan ruido simétrico y ruido por pares de la misma intensidad.",
    "The gradient norm at the start does not tell a wrong label from a right one.":
        "La norma del gradiente al inicio no distingue una etiqueta equivocada de una correcta.",
    "It follows from the symmetry of the initial weights; Kirsch 2023 doubts the score.":
        "Se sigue de la simetría de los pesos iniciales; Kirsch 2023 pone en duda el puntaje.",
    "Needs the score on symmetric noise.": "Se necesita el puntaje con ruido simétrico.",
    "AUROC {value}; 0.5 is chance.": "AUROC {value}; 0.5 es azar.",
    "Half the interval is above {bound:g}: it needs more corruptions or inits.":
        "La mitad del intervalo pasa de {bound}: se necesitan más corrupciones o inits.",
    "The gradient norm at the start follows the norm of the input.":
        "La norma del gradiente al inicio sigue a la norma de la entrada.",
    "Needs the score.": "Se necesita el puntaje.",
    "All inputs have nearly the same norm, as preprocess=paper makes it: take preprocess=dataset.":
        "Todas las entradas tienen casi la misma norma, como la deja preprocess=paper: conviene "
        "preprocess=dataset.",
    "Spearman's correlation {value}; above {bound:g} counts.":
        "Correlación de Spearman {value}; cuenta por encima de {bound}.",
    "{value:g} ({low:g} to {high:g}, 95 % over {n:d} {of})":
        "{value} ({low} a {high}, 95 % sobre {n} {of})",
    "corruptions": "corrupciones",
    "One of the scores finds the most label errors.":
        "Uno de los puntajes es el que más errores de etiqueta encuentra.",
    "Needs at least two scores that all settings have.":
        "Se necesitan al menos dos puntajes que tengan todas las variantes.",
    "Highest precision at the true number in bootstrap draws: {list}; {share} make a winner of "
    "{n:d} scores.":
        "Mayor precisión con el número verdadero de errores en sorteos bootstrap: {list}; con "
        "{share} hay un ganador entre {n} puntajes.",
}  # fmt: skip
