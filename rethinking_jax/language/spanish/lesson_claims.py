"""What the lessons claim, and the captions of their slides, in Spanish."""

PHRASES = {
    "More parameters do not mean a higher test accuracy.":
        "Más parámetros no significan mayor exactitud de prueba.",
    "Every convolutional network tests better than every dense one.":
        "Toda red convolucional tiene mejor exactitud de prueba que cualquier red densa.",
    "Depthwise separable convolutions take far fewer operations than VGG's.":
        "Las convoluciones separables por profundidad hacen muchas menos operaciones que las de "
        "VGG.",
    "All the same they test no worse.": "Aun así su exactitud de prueba no es peor.",
    "Time per image follows the operations.": "El tiempo por imagen sigue a las operaciones.",
    "A point for each seed, at the end of training.":
        "Un punto por cada semilla, al final del entrenamiento.",
    "After the same number of epochs SGD has a lower loss than gradient descent.":
        "Tras el mismo número de épocas SGD tiene menor pérdida que el descenso de gradiente.",
    "Against time, too, SGD is faster than gradient descent.":
        "También en tiempo SGD es más rápido que el descenso de gradiente.",
    "Against time the best batch is neither the smallest nor the whole training set.":
        "En tiempo, el mejor lote no es ni el más pequeño ni todo el conjunto de entrenamiento.",
    "The first {n:g} epochs of every run.": "Las primeras {n} épocas de cada entrenamiento.",
    "Seconds of training steps alone: compiling and measuring are left out.":
        "Segundos de los pasos de entrenamiento: no cuentan compilar ni medir.",
    "In-distribution accuracy rises with the number of training examples.":
        "La exactitud dentro de la distribución sube con el número de ejemplos de entrenamiento.",
    "Out-of-distribution accuracy does not rise with them.":
        "La exactitud fuera de la distribución no sube con ellos.",
    "A few out-of-distribution examples among them raise it.":
        "Unos pocos ejemplos de fuera entre ellos la suben.",
    "Over {n:,} test points of each kind, mean of the last {looks:g} looks.":
        "Sobre {n} puntos de prueba de cada tipo, media de las últimas {looks} mediciones.",
    "Over {n:,} test points, the model fixed.": "Sobre {n} puntos de prueba, con el modelo fijo.",
    "Test error falls as a power of the number of training examples.":
        "El error de prueba baja como una potencia del número de ejemplos de entrenamiento.",
    "Augmentation lowers the test error at every number of examples.":
        "El aumento de datos baja el error de prueba con cualquier número de ejemplos.",
    "Twice the data wins more than augmentation.":
        "El doble de datos gana más que el aumento de datos.",
    "Straight: the fitted power law.": "Recta: la ley de potencias ajustada.",
    "With label noise the test error of wider networks rises, and falls again beyond.":
        "Con ruido en las etiquetas el error de prueba de redes más anchas sube, y más allá vuelve "
        "a bajar.",
    "It peaks between the widths whose training error is 0.1 and 0.":
        "Su máximo está entre las anchuras cuyo error de entrenamiento es 0.1 y 0.",
    "Without label noise it rises less, or not at all.":
        "Sin ruido en las etiquetas sube menos, o nada.",
    "At the end of training. Test labels are true. Vertical: where the noisiest fit.":
        "Al final del entrenamiento. Las etiquetas de prueba son verdaderas. Vertical: donde se "
        "ajustan las redes con más ruido.",
    "At first more wrongly labelled images are given their true class than their label.":
        "Al principio, a más imágenes mal etiquetadas se les da su clase verdadera que su "
        "etiqueta.",
    "Later that share falls, and in the end more of them are memorized.":
        "Después esa proporción baja, y al final más de ellas están memorizadas.",
    "The test accuracy is best before the end: to memorize wrong labels costs.":
        "La exactitud de prueba es mejor antes del final: memorizar etiquetas equivocadas cuesta.",
    "From its best to its end it loses more than with true labels.":
        "De su mejor momento al final pierde más que con etiquetas verdaderas.",
    "Shares of the wrongly labelled training images, the model fixed. Test labels are true.":
        "Proporciones de las imágenes de entrenamiento mal etiquetadas, con el modelo fijo. Las "
        "etiquetas de prueba son verdaderas.",
    "In time the test error falls, rises while wrong labels are fitted, and falls again.":
        "Con el tiempo el error de prueba baja, sube mientras se ajustan etiquetas equivocadas, y "
        "vuelve a bajar.",
    "In the end it is lower than where it began to rise: training on beats stopping early.":
        "Al final es menor que donde empezó a subir: seguir entrenando supera a la parada "
        "temprana.",
    "Test labels are true. Vertical: the first epoch with that training error.":
        "Las etiquetas de prueba son verdaderas. Vertical: la primera época con ese error de "
        "entrenamiento.",
    "From large initial weights test accuracy rises by more than 20 points after every training "
    "example is right.":
        "Con pesos iniciales grandes la exactitud de prueba sube más de 20 puntos después de que "
        "todo ejemplo de entrenamiento es correcto.",
    "From weights of the usual size it rises by less than that: there is nothing to wait for.":
        "Con pesos del tamaño habitual sube menos que eso: no hay nada que esperar.",
    "The model fixed, true labels.": "Con el modelo fijo, etiquetas verdaderas.",
    "Too small a learning rate has learned little when the best one is done.":
        "Una tasa de aprendizaje demasiado pequeña ha aprendido poco cuando la mejor ya terminó.",
    "Too large a learning rate diverges, or stays at what guessing costs.":
        "Una tasa de aprendizaje demasiado grande diverge, o se queda en lo que cuesta adivinar.",
    "The best learning rate lies between the slow ones and those that diverge.":
        "La mejor tasa de aprendizaje está entre las lentas y las que divergen.",
    "Runs whose loss stopped being a number stand at the level of the start.":
        "Los entrenamientos cuya pérdida dejó de ser un número están al nivel del inicio.",
    "The largest network has the highest training accuracy.":
        "La red más grande tiene la mayor exactitud de entrenamiento.",
    "The largest network overfits: its training accuracy is far above its test accuracy.":
        "La red más grande sobreajusta: su exactitud de entrenamiento está muy por encima de la de "
        "prueba.",
    "All the same it tests no worse than the smallest.":
        "Aun así su exactitud de prueba no es peor que la de la más pequeña.",
    "Over the whole set, the model fixed.": "Sobre todo el conjunto, con el modelo fijo.",
    "Raw inputs have far larger gradients in the first epoch than normalized ones.":
        "Las entradas sin tratar tienen gradientes mucho mayores en la primera época que las "
        "normalizadas.",
    "At the same learning rate raw inputs train worse than either kind of normalized ones.":
        "Con la misma tasa de aprendizaje las entradas sin tratar se entrenan peor que cualquiera "
        "de las normalizadas.",
    "A run ends where its loss stops being a number.":
        "Un entrenamiento termina donde su pérdida deja de ser un número.",
    "The mean over an epoch's steps.": "La media sobre los pasos de una época.",
    "Momentum reaches a low loss in fewer epochs than plain SGD at the same learning rate.":
        "El momento llega a una pérdida baja en menos épocas que SGD simple con la misma tasa de "
        "aprendizaje.",
    "RMSProp and Adam reach it in fewer epochs than plain SGD.":
        "RMSProp y Adam llegan a ella en menos épocas que SGD simple.",
    "Cross-entropy over the training set, the model fixed.":
        "Entropía cruzada sobre el conjunto de entrenamiento, con el modelo fijo.",
    "Cross-entropy over the training set as the run sees it; in the legend accuracies.":
        "Entropía cruzada sobre el conjunto de entrenamiento con las etiquetas y píxeles que ve la "
        "red; en la leyenda, exactitudes.",
    "The choice matters: validation tells the best setting from the worst.":
        "La elección importa: la validación distingue la mejor configuración de la peor.",
    "Validation tells the best setting from every other.":
        "La validación distingue la mejor configuración de todas las demás.",
    "The chosen setting's validation accuracy foretells its test accuracy.":
        "La exactitud de validación de la configuración elegida anticipa su exactitud de prueba.",
    "It flatters: in the test the chosen setting does worse than in validation.":
        "Favorece: en la prueba la configuración elegida sale peor que en la validación.",
    "At the end of training, the model fixed. The test set is not looked at.":
        "Al final del entrenamiento, con el modelo fijo. El conjunto de prueba no se mira.",
    "Over each whole set, the model fixed; the test set once, at the end.":
        "Sobre cada conjunto entero, con el modelo fijo; el de prueba una sola vez, al final.",
}  # fmt: skip
