"""What the experiments with Theorem 1 and with the least norm say, in Spanish."""

PHRASES = {
    # Theorem 1 and Corollary 1, built.
    "{names}, {dimension} dimensions, {points} points at most":
        "{names}, {dimension} dimensiones, {points} puntos como máximo",
    "{name}: {count} equal images": "{name}: {count} imágenes iguales",
    "merged": "combinadas",
    "weights": "pesos",
    "largest error, float64": "mayor error, float64",
    "labels taken, float64": "etiquetas reproducidas, float64",
    "all terms summed, float64": "suma de todos los términos, float64",
    "largest error, float32": "mayor error, float32",
    "labels taken, float32": "etiquetas reproducidas, float32",
    "seconds to build": "segundos de construcción",
    "depth": "profundidad",
    "width": "anchura",
    "beyond 2n + d": "además de 2n + d",
    "Errors are |c(x) - y| over the points, labels taken the share of them whose label is c(x) "
    "rounded. The weights are found in float64; a float32 column holds and evaluates them in "
    "float32. All terms summed: from the pixels, every one of the n terms, at a sample of points.":
        "Los errores son |c(x) - y| sobre los puntos; etiquetas reproducidas: la proporción de "
        "puntos cuya etiqueta es c(x) redondeado. Los pesos se calculan en float64; las columnas "
        "de float32 los guardan y evalúan en float32. Suma de todos los términos: a partir de los "
        "píxeles, con cada uno de los n términos, en una muestra de puntos.",
    "Errors at a sample of the points, from the pixels, layer by layer.":
        "Errores en una muestra de los puntos, a partir de los píxeles, capa por capa.",
    "Theorem 1: 2n + d weights take n labels": "Teorema 1: 2n + d pesos reproducen n etiquetas",
    "Corollary 1: the same, deeper": "Corolario 1: lo mismo, con más profundidad",
    "Theorem 1: the error of the network that was built":
        "Teorema 1: el error de la red construida",
    "{name}, float64, deep": "{name}, float64, profunda",
    "float64, deep": "float64, profunda",
    "Below 0.5 rounding gives every label back. Slopes grow with the square of the number of "
    "points, for the smallest gap between projections shrinks so, and errors with the slopes.":
        "Por debajo de 0.5 el redondeo devuelve todas las etiquetas. Las pendientes crecen con el "
        "cuadrado del número de puntos, pues así se reduce la menor distancia entre proyecciones, "
        "y los errores crecen con las pendientes.",
    "a label is lost": "se pierde una etiqueta",
    "points": "puntos",
    "largest |c(x) - y|": "mayor |c(x) - y|",
    "A 2-layer ReLU network with 2n + d weights takes any labels of n points.":
        "Una red ReLU de 2 capas con 2n + d pesos reproduce cualesquiera etiquetas de n puntos.",
    "Up to {points} points in float64: largest error {worst}; {weights} weights counted, 2n + d = "
    "{least}.":
        "Hasta {points} puntos en float64: mayor error {worst}; se contaron {weights} pesos, 2n + "
        "d = {least}.",
    "Proved for real numbers.": "Demostrado para números reales.",
    "Theorem 1": "Teorema 1",
    "Corollary 1": "Corolario 1",
    "Depth k needs width O(n / k) and O(n + d) weights.":
        "Con profundidad k bastan una anchura O(n / k) y O(n + d) pesos.",
    "Depth {depth}, {points} points: width {width}, {extra} weights beyond 2n + d, largest error "
    "{error}.":
        "Profundidad {depth}, {points} puntos: anchura {width}, {extra} pesos además de 2n + d, "
        "mayor error {error}.",
    "The network survives float32 as well.": "La red también resiste float32.",
    "All labels taken up to {held} points.":
        "Se reproducen todas las etiquetas hasta con {held} puntos.",
    "All labels taken up to {held} points, some lost from {lost} on.":
        "Se reproducen todas las etiquetas hasta con {held} puntos; desde {lost} se pierden "
        "algunas.",
    "The system's smallest eigenvalue is min(z_i - b_i), which shrinks with n.":
        "El menor valor propio del sistema es min(z_i - b_i), que disminuye con n.",
    # Theorem 1, trained.
    "smallest width that fits": "menor anchura que ajusta",
    "its weights": "sus pesos",
    "times as many": "veces más",
    "train accuracy by width": "exactitud de entrenamiento según la anchura",
    "One hidden ReLU layer, Adam at a constant rate of 0.001, batches of 128 at most, the same "
    "number of steps for all; fitted: every label of the training set, in eval mode. Weights "
    "count biases and an output for each class; Theorem 1's network has one output. -: no width "
    "fits in this time. A finer ladder, or longer training, finds smaller ones.":
        "Una capa oculta ReLU, Adam con tasa constante de 0.001, lotes de 128 como máximo, el "
        "mismo número de pasos para todas; ajusta: todas las etiquetas del conjunto de "
        "entrenamiento, en modo de evaluación. Los pesos incluyen sesgos y una salida por clase; "
        "la red del Teorema 1 tiene una sola salida. -: ninguna anchura ajusta en ese tiempo. Con "
        "más anchuras intermedias, o entrenando más, se encuentran otras menores.",
    "Trained: the smallest width that fits the same labels":
        "Entrenada: la menor anchura que ajusta las mismas etiquetas",
    "{name}, {count:,} points": "{name}, {count} puntos",
    "Trained 2-layer networks: train accuracy by width":
        "Redes entrenadas de 2 capas: exactitud de entrenamiento según la anchura",
    "After the same number of steps, or where every label was fitted.":
        "Tras el mismo número de pasos, o cuando se ajustaron todas las etiquetas.",
    "Needs trained_widths, such as 16+64+256+1024.":
        "Se necesita trained_widths, como 16+64+256+1024.",
    "{name}, {count} points: width {width}, {ratio} x (2n + d)":
        "{name}, {count} puntos: anchura {width}, {ratio} x (2n + d)",
    "{name}, {count} points: none": "{name}, {count} puntos: ninguna",
    "Gradient descent finds these labels too, at some width of the ladder.":
        "El descenso de gradiente también encuentra estas etiquetas, con alguna de las anchuras.",
    "section 2.1, for 2 layers": "sección 2.1, para 2 capas",
    "Smallest width that fits: {list}.": "Menor anchura que ajusta: {list}.",
    "Train accuracy 0.9934 on random labels (CIFAR-10, MLP 1x512).":
        "Exactitud de entrenamiento 0.9934 con etiquetas al azar (CIFAR-10, MLP 1x512).",
    "The smallest of these widths that fits all points has more weights than the construction.":
        "La menor de estas anchuras que ajusta todos los puntos tiene más pesos que la "
        "construcción.",
    "Weights over 2n + d: {list}.": "Pesos divididos entre 2n + d: {list}.",
    "2n + d weights are enough.": "Bastan 2n + d pesos.",
    # Linear models: the interpolant of least norm.
    "start": "inicio",
    "zero": "cero",
    "another": "otro",
    "to least norm": "al de norma mínima",
    "to predicted": "al previsto",
    "moved outside span": "movido fuera del espacio",
    "to least norm: |w - X+ y| / |X+ y| after the last step. to predicted: the same to X+ y plus "
    "the start's part outside the span of the examples. moved outside span: how far SGD took the "
    "weights outside the span, over |X+ y|; rounding alone. Both starts see the same batches.":
        "al de norma mínima: |w - X+ y| / |X+ y| tras el último paso. al previsto: lo mismo "
        "respecto de X+ y más la parte del inicio que está fuera del espacio generado por los "
        "ejemplos. movido fuera del espacio: cuánto llevó SGD los pesos fuera de ese espacio, "
        "entre |X+ y|; es solo redondeo. Ambos inicios ven los mismos lotes.",
    "Where SGD ends": "Dónde termina SGD",
    "{name}, from zero: to the least norm": "{name}, desde cero: al de norma mínima",
    "{name}, from another: to the least norm": "{name}, desde otro inicio: al de norma mínima",
    "{name}, from another: to the predicted": "{name}, desde otro inicio: al previsto",
    "the least norm": "el de norma mínima",
    "the predicted": "el previsto",
    "{dataset}, {count} training examples": "{dataset}, {count} ejemplos de entrenamiento",
    "mini-batches of {batch}, {features} features, {weights} weights for each class, learning "
    "rate {rate}, float64":
        "minilotes de {batch}, características {features}, {weights} pesos por clase, tasa de "
        "aprendizaje {rate}, float64",
    "fourier": "de Fourier",
    "pixels": "píxeles",
    "Relative distance of the weights to the interpolant of least norm, and to this plus the "
    "start's part outside the span of the examples.":
        "Distancia relativa de los pesos al interpolante de norma mínima, y a este más la parte "
        "del inicio que está fuera del espacio generado por los ejemplos.",
    "SGD on squared loss, and the interpolants of a linear model":
        "SGD con pérdida cuadrática, y los interpolantes de un modelo lineal",
    "relative distance": "distancia relativa",
    "SGD from zero converges to the interpolant of least norm.":
        "SGD desde cero converge al interpolante de norma mínima.",
    "Relative distance {distance} after {steps} steps.":
        "Distancia relativa {distance} después de {steps} pasos.",
    "Proved: w = X' alpha, and X X' alpha = y has one solution.":
        "Demostrado: w = X' alpha, y X X' alpha = y tiene una sola solución.",
    "SGD never leaves the span of the examples.":
        "SGD nunca sale del espacio generado por los ejemplos.",
    "Relative size of what it moved outside: {moved}.":
        "Tamaño relativo de lo que se movió fuera: {moved}.",
    "Every update is a combination of examples.":
        "Cada actualización es una combinación de ejemplos.",
    "From another start SGD finds another interpolant, off by the start's part outside the span.":
        "Desde otro inicio SGD encuentra otro interpolante, desplazado por la parte del inicio "
        "que está fuera del espacio generado.",
    "Relative distance {predicted} to the predicted interpolant, {apart} to that of least norm; "
    "the start's part outside is {outside}.":
        "Distancia relativa {predicted} al interpolante previsto, {apart} al de norma mínima; la "
        "parte del inicio que está fuera es {outside}.",
    # Networks and their tangent kernels.
    "to the kernel's prediction": "a la predicción del kernel",
    "least": "mínimo",
    "most": "máximo",
    "weights moved": "movimiento de los pesos",
    "kernel to its limit": "del kernel a su límite",
    "train residual": "residuo de entrenamiento",
    "One hidden ReLU layer without biases, one output, labels +1 for the first half of the "
    "classes and -1 for the rest, images of norm 1, full batches. to the kernel's prediction: "
    "distance on {count} test images of the trained network's outputs, over how far the "
    "prediction moved them from the start. weights moved: over their norm. kernel to its limit: "
    "relative distance to the closed form for infinite width. Means over the seeds; least and "
    "most of them.":
        "Una capa oculta ReLU sin sesgos, una salida, etiquetas +1 para la primera mitad de las "
        "clases y -1 para el resto, imágenes de norma 1, lotes completos. a la predicción del "
        "kernel: distancia de las salidas de la red entrenada en {count} imágenes de prueba, "
        "entre lo que la predicción las movió desde el inicio. movimiento de los pesos: entre su "
        "norma. del kernel a su límite: distancia relativa a la expresión cerrada para anchura "
        "infinita. Medias sobre las semillas; mínimo y máximo de ellas.",
    "A network trained from its start, and its tangent kernel there":
        "Una red entrenada desde su inicio, y su kernel tangente ahí",
    "{name}: to the kernel's prediction": "{name}: a la predicción del kernel",
    "{name}: its kernel to infinite width's": "{name}: de su kernel al de anchura infinita",
    "{name}: weights": "{name}: pesos",
    "its kernel to infinite width's": "de su kernel al de anchura infinita",
    "mean of {n} seeds": "media de {n} semillas",
    "A trained network nears its tangent kernel's interpolant as it gets wider":
        "Cuanto más ancha, más se acerca una red entrenada al interpolante de su kernel tangente",
    "Relative distances; weights: how far they moved from their start.":
        "Distancias relativas; pesos: cuánto se movieron desde su inicio.",
    "{name}: {first} at width {narrow}, {last} at {wide}":
        "{name}: {first} con anchura {narrow}, {last} con {wide}",
    "The wider a network, the nearer gradient descent ends to the interpolant of least norm in "
    "its gradients' features.":
        "Cuanto más ancha es una red, más cerca termina el descenso de gradiente del interpolante "
        "de norma mínima en las características de sus gradientes.",
    "section 5, beyond linear models": "sección 5, más allá de los modelos lineales",
    "Distance to the tangent kernel's prediction: {list}.":
        "Distancia a la predicción del kernel tangente: {list}.",
    "Needs two or more ntk_widths, all fitted.":
        "Se necesitan dos o más ntk_widths, todas ajustadas.",
    "No number in the paper; the limit is Jacot et al. (2018).":
        "El artículo no da un número; el límite es de Jacot et al. (2018).",
}  # fmt: skip
