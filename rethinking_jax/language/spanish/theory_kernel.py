"""What the kernel machines of section 5 say, and those on noisy labels, in Spanish."""

PHRASES = {
    # Kernels and how they are solved.
    "kernel": "kernel",
    "laplacian": "laplaciano",
    "gabor": "Gabor",
    "random_conv": "random_conv",
    "ridge": "ridge",
    "by chance ±": "por azar ±",
    "relative residual": "residuo relativo",
    "seconds": "segundos",
    "solver": "método de solución",
    "Cholesky {dtype}, refined {n} times": "Cholesky {dtype}, refinada {n} veces",
    "Cholesky {dtype} of K + {shift} I, refined {n} times":
        "Cholesky {dtype} de K + {shift} I, refinada {n} veces",
    "singular to {dtype}: {what}": "singular en {dtype}: {what}",
    "conjugate gradients, rank {rank}, {n} steps": "gradientes conjugados, rango {rank}, {n} pasos",
    "{solver}, not converged": "{solver}, sin converger",
    "singular: least norm by eigenvalues, rank {rank} of {n}":
        "singular: norma mínima por valores propios, rango {rank} de {n}",
    "norm: sqrt(sum over classes of alpha' K alpha), of one-hot labels 0 and 1. linear and "
    "random_conv are scaled to a mean diagonal of 1, which the others have; gabor is the Gaussian "
    "kernel on wavelet features of the pixels' total variance. seconds: of the kernel matrix and "
    "its solution, shared by the rows that differ in labels only. by chance ±: the standard "
    "deviation of the test error over all renamings of the classes; after random labels three of "
    "it around 1 - 1/k are chance.":
        "norma: sqrt(suma sobre las clases de alpha' K alpha), con etiquetas one-hot 0 y 1. "
        "Lineal y random_conv se escalan para que su diagonal tenga media 1, como la tienen los "
        "demás; el de Gabor es el kernel gaussiano sobre wavelets con la varianza total de los "
        "píxeles. segundos: de la matriz del kernel y su solución, compartidos por las filas que "
        "solo difieren en las etiquetas. por azar ±: la desviación estándar del error de prueba "
        "sobre todas las permutaciones de los nombres de las clases; tras etiquetas al azar, a "
        "menos de tres de ellas de 1 - 1/k es azar.",
    "{dataset}: {train} training, {test} test images, {classes} classes, 0 to 1":
        "{dataset}: {train} imágenes de entrenamiento, {test} de prueba, {classes} clases, de 0 a "
        "1",
    "(K + ridge I) alpha = one-hot labels, solved for the whole training set":
        "(K + ridge I) alpha = etiquetas one-hot, resuelto para todo el conjunto de entrenamiento",
    "Kernel machines (Table 3)": "Máquinas de kernel (Tabla 3)",
    "preprocessing": "preprocesamiento",
    "Table 6": "Tabla 6",
    "Table 7": "Tabla 7",
    "The paper's Table 3 and section 5, for comparison: all 60,000 or 50,000 examples":
        "La Tabla 3 y la sección 5 del artículo, para comparar: los 60,000 o 50,000 ejemplos",
    "Each point is one exact solution; a line joins the ridges of one kernel.":
        "Cada punto es una solución exacta; una línea une los valores de ridge de un kernel.",
    "Norm and test error of kernel machines": "Norma y error de prueba de máquinas de kernel",
    "norm in the kernel's space": "norma en el espacio del kernel",
    "{kernel} true labels {value:g}": "{kernel} con etiquetas verdaderas {value}",
    "{kernel} random labels {value:g}": "{kernel} con etiquetas al azar {value}",
    "{kernel} partially corrupted labels {value:g}":
        "{kernel} con etiquetas parcialmente corrompidas {value}",
    "{kernel} shuffled pixels {value:g}": "{kernel} con píxeles permutados {value}",
    "{kernel} random pixels {value:g}": "{kernel} con píxeles al azar {value}",
    "{kernel} gaussian {value:g}": "{kernel} con entradas gaussianas {value}",
    # Random filters that differ in two keys besides.
    "{kernel} threshold={first}, whitening={second}, {setting}":
        "{kernel} threshold={first}, whitening={second}, {setting}",
    "{kernel} threshold={first}, whitening={second} true labels {value:g}":
        "{kernel} threshold={first}, whitening={second} con etiquetas verdaderas {value}",
    "{kernel} threshold={first}, whitening={second} random labels {value:g}":
        "{kernel} threshold={first}, whitening={second} con etiquetas al azar {value}",
    "{kernel} {variant} true labels {value:g}":
        "{kernel} {variant} con etiquetas verdaderas {value}",
    "{kernel} {variant} random labels {value:g}":
        "{kernel} {variant} con etiquetas al azar {value}",
    "{kernel} {variant} partially corrupted labels {value:g}":
        "{kernel} {variant} con etiquetas parcialmente corrompidas {value}",
    "{kernel} {variant} shuffled pixels {value:g}":
        "{kernel} {variant} con píxeles permutados {value}",
    "{kernel} {variant} random pixels {value:g}": "{kernel} {variant} con píxeles al azar {value}",
    "{kernel} {variant} gaussian {value:g}": "{kernel} {variant} con entradas gaussianas {value}",
    "{kernel} gamma={gamma:g}": "{kernel} gamma={gamma}",
    "{kernel} gamma={gamma:g} {ratio:g}": "{kernel} gamma={gamma} {ratio}",
    "{kernel} ridge {ridge:g}": "{kernel} con ridge {ridge}",
    "Without a ridge the solution fits all labels, true or random.":
        "Sin ridge la solución ajusta todas las etiquetas, verdaderas o al azar.",
    "Train error: {list}.": "Error de entrenamiento: {list}.",
    "Needs ridge=0.": "Se necesita ridge=0.",
    "K alpha = Y is solved exactly.": "K alpha = Y se resuelve exactamente.",
    "Fitting the training set exactly, without a regularizer, generalizes.":
        "Ajustar exactamente el conjunto de entrenamiento, sin regularizador, generaliza.",
    "Test error on true labels: {list}.": "Error de prueba con etiquetas verdaderas: {list}.",
    "Needs true_labels with ridge=0.": "Se necesita true_labels con ridge=0.",
    "Test error 0.012 (MNIST), 0.46 (CIFAR-10), no preprocessing.":
        "Error de prueba 0.012 (MNIST), 0.46 (CIFAR-10), sin preprocesamiento.",
    "The same machines test at chance after random labels.":
        "Tras ajustar etiquetas al azar, las mismas máquinas quedan al nivel del azar en la "
        "prueba.",
    "section 2, for kernels": "sección 2, para kernels",
    "Test error: {list}.": "Error de prueba: {list}.",
    "Needs random_labels.": "Se necesita random_labels.",
    "Networks: test error 0.90 (CIFAR-10).": "Redes: error de prueba 0.90 (CIFAR-10).",
    "Needs gaussian and gabor on true_labels with ridge=0.":
        "Se necesitan gaussian y gabor con true_labels y ridge=0.",
    "Norm and test error: {norm} and {error} on pixels, {norm2} and {error2} on wavelets.":
        "Norma y error de prueba: {norm} y {error} con píxeles, {norm2} y {error2} con wavelets.",
    "Norm and test error: {norm} and {error} on pixels, {norm2} and {error2} on wavelets "
    "({variant}).":
        "Norma y error de prueba: {norm} y {error} con píxeles, {norm2} y {error2} con wavelets "
        "({variant}).",
    "besides": "además",
    "The larger norm generalizes better: wavelets against pixels.":
        "La norma mayor generaliza mejor: wavelets frente a píxeles.",
    "220 and 0.012 on pixels, 390 and 0.006 on wavelets (MNIST).":
        "220 y 0.012 con píxeles, 390 y 0.006 con wavelets (MNIST).",
    "Random labels need a larger norm than true ones with the same kernel.":
        "Con el mismo kernel, las etiquetas al azar requieren una norma mayor que las verdaderas.",
    "Norm over that of true labels: {list}.":
        "Norma dividida entre la de las etiquetas verdaderas: {list}.",
    "Needs both settings with ridge=0.": "Se necesitan ambas variantes con ridge=0.",
    # Noisy labels.
    "{dataset}: {count} training images to draw from, {test} test images, {classes} classes, "
    "pixels from 0 to 1":
        "{dataset}: {count} imágenes de entrenamiento de donde se sortea, {test} de prueba, "
        "{classes} clases, píxeles de 0 a 1",
    "K alpha = one-hot labels, solved for the whole training set: the function of least norm that "
    "fits them":
        "K alpha = etiquetas one-hot, resuelto para todo el conjunto de entrenamiento: la función "
        "de norma mínima que las ajusta",
    "noise": "ruido",
    "training and test labels are drawn anew from all classes with the probability that is called "
    "noise":
        "las etiquetas de entrenamiento y de prueba se sortean de nuevo entre todas las clases "
        "con la probabilidad que se llama ruido",
    "{n} draws of training set and noise; two sets of n examples share about n² / {count} of them":
        "{n} sorteos del conjunto de entrenamiento y del ruido; dos conjuntos de n ejemplos "
        "comparten cerca de n² / {count}",
    "learner": "método de aprendizaje",
    "Bayes error": "error de Bayes",
    "on true labels": "con etiquetas verdaderas",
    "ridge chosen": "ridge elegida",
    "its test error": "su error de prueba",
    "Means over draws, in round brackets the extremes. Test error: against test labels that are "
    "as noisy as those in training, so that the Bayes error is the least. Train error and norm: "
    "of the kernel machine that interpolates, the norm being sqrt(sum over classes of alpha' K "
    "alpha). Ridge chosen: the median of those that had the fewest errors on a held-out fifth of "
    "the training set. Of neighbours with equally many votes the smallest class wins.":
        "Medias sobre los sorteos, entre paréntesis los extremos. Error de prueba: respecto de "
        "etiquetas de prueba con tanto ruido como las de entrenamiento, de modo que el error de "
        "Bayes es el menor posible. Error de entrenamiento y norma: de la máquina de kernel que "
        "interpola; la norma es sqrt(suma sobre las clases de alpha' K alpha). Ridge elegida: la "
        "mediana de las que tuvieron menos errores en una quinta parte del conjunto de "
        "entrenamiento, que se apartó. Si varias clases tienen los mismos votos de los vecinos, "
        "gana la menor.",
    "steps, true labels": "pasos, etiquetas verdaderas",
    "steps, random labels": "pasos, etiquetas al azar",
    "ratio": "cociente",
    "Steps of conjugate gradients without a preconditioner, from zero, until every training label "
    "has the largest output. Means over draws, in round brackets the extremes.":
        "Pasos de gradientes conjugados sin precondicionador, desde cero, hasta que cada etiqueta "
        "de entrenamiento tiene la mayor salida. Medias sobre los sorteos, entre paréntesis los "
        "extremos.",
    "table": "tabla",
    "± for one more draw": "± para un sorteo más",
    "paper's": "del artículo",
    "within": "dentro",
    "MNIST, 10,000 test digits. Test error: the mean over our draws; points are percentage "
    "points, ours less the paper's. ±: where one more draw lies with a probability of 95 %, by "
    "Student's t of our draws. The paper does not say of how many draws its numbers are.":
        "MNIST, 10,000 dígitos de prueba. Error de prueba: la media de nuestros sorteos; los "
        "puntos son puntos porcentuales, el nuestro menos el del artículo. ±: donde cae un sorteo "
        "más con probabilidad de 95 %, según la t de Student de nuestros sorteos. El artículo no "
        "dice de cuántos sorteos son sus números.",
    "Test error by label noise": "Error de prueba según el ruido en las etiquetas",
    "Steps until every label is fitted": "Pasos hasta ajustar todas las etiquetas",
    "Beside Tables 6 and 7 of {paper}": "Junto a las Tablas 6 y 7 de {paper}",
    "Kernels interpolate: they fit every noisy label. Test labels are as noisy. As Figure 5 of "
    "{paper}.":
        "Los kernels interpolan: ajustan todas las etiquetas con ruido. Las de prueba tienen el "
        "mismo ruido. Como la Figura 5 de {paper}.",
    "probability with which a label is drawn anew":
        "probabilidad con la que se sortea de nuevo una etiqueta",
    "Test error by training examples at noise {noise}":
        "Error de prueba según los ejemplos de entrenamiento, con ruido {noise}",
    "Kernels interpolate.": "Los kernels interpolan.",
    "Norm of the function that fits every label":
        "Norma de la función que ajusta todas las etiquetas",
    "In the kernel's own space, over all classes: norms of two kernels do not compare.":
        "En el espacio propio del kernel, sobre todas las clases: las normas de dos kernels no se "
        "pueden comparar.",
    "mean of {n} draws, band: its 95 % interval":
        "media de {n} sorteos, banda: su intervalo del 95 %",
    "Kernels fit every training label at every level of noise.":
        "Los kernels ajustan todas las etiquetas de entrenamiento con cualquier nivel de ruido.",
    "{paper}, Table 3": "{paper}, Tabla 3",
    "{paper}, Table 7": "{paper}, Tabla 7",
    "{paper}, Tables 6 and 7": "{paper}, Tablas 6 y 7",
    "{paper}, Tables 1 and 2": "{paper}, Tablas 1 y 2",
    "{paper}, Figures 2 to 4": "{paper}, Figuras 2 a 4",
    "{paper}, Figure 5": "{paper}, Figura 5",
    "Not solved: {list}.": "Sin resolver: {list}.",
    "The largest train error of {draws:d} draws and {n} cells: {error}.":
        "El mayor error de entrenamiento de {draws} sorteos y {n} celdas: {error}.",
    "Needs kernel=gaussian or laplacian.": "Se necesita kernel=gaussian o laplacian.",
    "Training error 0.": "Error de entrenamiento 0.",
    "Needs dataset={dataset} at sizes of the tables and noise 0 or 0.1.":
        "Se necesita dataset={dataset} con los tamaños de las tablas y ruido 0 o 0.1.",
    "None of {n} intervals is as narrow as ± {half}: more draws are needed.":
        "Ninguno de los {n} intervalos es tan angosto como ± {half}: se necesitan más sorteos.",
    "{n:d} of {count:d} errors within the 95 % interval of one more draw ({draws:d} draws)":
        "{n} de {count} errores dentro del intervalo del 95 % de un sorteo más ({draws} sorteos)",
    "{far:d} too far after Holm's correction": "{far} demasiado lejos según la corrección de Holm",
    "The largest difference: {points:g} points ({cell}).":
        "La mayor diferencia: {points} puntos ({cell}).",
    "{wide:d} intervals wider than ± {half:g} are left out.":
        "Se omiten {wide} intervalos más anchos que ± {half}.",
    "{learner}, {n} examples, noise {noise}": "{learner}, {n} ejemplos, ruido {noise}",
    "Test errors of kernels and neighbours on MNIST are those of the paper.":
        "Los errores de prueba de kernels y vecinos en MNIST son los del artículo.",
    "Gaussian kernel, 3,000 digits: 0.0410 without noise, 0.1400 at noise 0.1.":
        "Kernel gaussiano, 3,000 dígitos: 0.0410 sin ruido, 0.1400 con ruido 0.1.",
    "Needs ridges and a noise below 1.": "Se necesitan ridges y un ruido menor que 1.",
    "Interpolation less the ridge that a held-out fifth chooses: at most {few} up to noise "
    "{noise}, at most {most} in all ({name}; {draws:d} draws, {n:d} cells).":
        "Interpolación menos la penalización ridge que elige una quinta parte apartada: a lo más "
        "{few} hasta ruido {noise}, a lo más {most} en total ({name}; {draws} sorteos, {n} "
        "celdas).",
    "Fitting every noisy label costs at most {cost} of test error against the best ridge.":
        "Ajustar todas las etiquetas con ruido cuesta a lo más {cost} de error de prueba frente a "
        "la mejor penalización ridge.",
    "Needs noise 0 and {noise}.": "Se necesitan los ruidos 0 y {noise}.",
    "Norm at noise {noise:g} over that at 0: {list} (95 %, {draws:d} draws).":
        "Norma con ruido {noise} dividida entre la de ruido 0: {list} (95 %, {draws} sorteos).",
    "It never falls as noise grows.": "Nunca disminuye al crecer el ruido.",
    "It falls somewhere as noise grows.": "En algún punto disminuye al crecer el ruido.",
    "{kernel}, {n:d} examples {value:g} ({low:g} to {high:g})":
        "{kernel}, {n} ejemplos: {value} ({low} a {high})",
    "One label in a hundred drawn anew makes the norm larger, and more noise larger still.":
        "Con una de cada cien etiquetas sorteada de nuevo la norma es mayor, y con más ruido, "
        "mayor aún.",
    "More than 10 times on separable synthetic data, clearly on MNIST.":
        "Más de 10 veces en datos sintéticos separables, claramente en MNIST.",
    "Needs both kernels, at least {n} examples, noise 0 and {noise}.":
        "Se necesitan ambos kernels, al menos {n} ejemplos, y los ruidos 0 y {noise}.",
    "Error of the Laplacian less that of the Gaussian kernel: {list} ({draws:d} draws).":
        "Error del kernel laplaciano menos el del gaussiano: {list} ({draws} sorteos).",
    "{n} examples, noise {noise}": "{n} ejemplos, ruido {noise}",
    "{n:d} examples, noise {noise:g} {value:g} ({low:g} to {high:g})":
        "{n} ejemplos, ruido {noise}: {value} ({low} a {high})",
    "Without noise the Gaussian kernel errs less, with noise 0.1 the Laplacian one.":
        "Sin ruido se equivoca menos el kernel gaussiano; con ruido 0.1, el laplaciano.",
    "3,000 digits: 0.0494 - 0.0410 without noise, 0.1385 - 0.1400 with it.":
        "3,000 dígitos: 0.0494 - 0.0410 sin ruido, 0.1385 - 0.1400 con ruido.",
    "Needs kernel=nearest and noise {noise}.": "Se necesitan kernel=nearest y ruido {noise}.",
    "Test error {error} at {n} examples ({draws:d} draws). The Bayes error is {bayes}, the limit "
    "of one neighbour {limit}, and the middle of both {middle}.":
        "Error de prueba {error} con {n} ejemplos ({draws} sorteos). El error de Bayes es "
        "{bayes}, el límite de un vecino {limit}, y el punto medio {middle}.",
    "The nearest neighbour, which fits every label too, stays away from the Bayes error.":
        "El vecino más cercano, que también ajusta todas las etiquetas, se queda lejos del error "
        "de Bayes.",
    "0.2121 at 15,000 digits and noise 0.1, where the Bayes error is 0.09.":
        "0.2121 con 15,000 dígitos y ruido 0.1, donde el error de Bayes es 0.09.",
    "Needs both kernels and noise 0 and 1, at a size at which steps are counted.":
        "Se necesitan ambos kernels y los ruidos 0 y 1, con un tamaño en el que se cuenten los "
        "pasos.",
    "Steps of conjugate gradients, random labels over true ones, {n} examples: Gaussian "
    "{gaussian}, Laplacian {laplacian}, their ratio {value} ({low} to {high}, 95 %, {draws:d} "
    "draws).":
        "Pasos de gradientes conjugados, etiquetas al azar / verdaderas, {n} ejemplos: gaussiano "
        "{gaussian}, laplaciano {laplacian}, su cociente {value} ({low} a {high}, 95 %, {draws} "
        "sorteos).",
    "Random labels cost the Gaussian kernel more steps than true ones do, and the Laplacian "
    "kernel few more.":
        "Las etiquetas al azar le cuestan al kernel gaussiano más pasos que las verdaderas, y al "
        "laplaciano apenas algunos más.",
    "Epochs of EigenPro-SGD on MNIST, true and random labels: Gaussian 20 and 873, Laplacian 4 "
    "and 7.":
        "Épocas de EigenPro-SGD en MNIST, etiquetas verdaderas y al azar: gaussiano 20 y 873, "
        "laplaciano 4 y 7.",
    "With four labels in five drawn anew, kernels that fit them all are well above chance.":
        "Con cuatro de cada cinco etiquetas sorteadas de nuevo, los kernels que las ajustan todas "
        "están muy por encima del azar.",
    "Test error at noise {noise}, {n} examples: {list} ({draws:d} draws); chance {chance}, Bayes "
    "error {bayes}; a quarter of the way is {least}.":
        "Error de prueba con ruido {noise}, {n} ejemplos: {list} ({draws} sorteos); azar "
        "{chance}, error de Bayes {bayes}; a un cuarto del camino está {least}.",
    "Needs noise {noise}.": "Se necesita ruido {noise}.",
    "Well above chance (a figure only).": "Muy por encima del azar (solo una figura).",
}  # fmt: skip
