"""The paper's claims with its own numbers, and where it makes them, in Spanish."""

PHRASES = {
    "yes": "sí",
    "no": "no",
    "not measured": "no se midió",
    "What the lecture says": "Lo que dice la clase",
    "The paper's claims": "Lo que afirma el artículo",
    "Claims": "Afirmaciones",
    "The paper, {place}": "El artículo, {place}",
    "a check of the method": "una comprobación del método",
    "not a claim of the paper": "no lo afirma el artículo",
    "follows from section 5": "se sigue de la sección 5",
    "follows from its definition": "se sigue de su definición",
    "Belkin, Ma and Mandal (2018)": "Belkin, Ma y Mandal (2018)",
    "Figure {number}": "Figura {number}",
    "Table {number:g}": "Tabla {number}",
    "Tables {one:g} and {other:g}": "Tablas {one} y {other}",
    "Every setting is fitted, noise as well as images.":
        "Todas las variantes se ajustan, tanto el ruido como las imágenes.",
    "The loss of all five settings goes to 0":
        "La pérdida de las cinco variantes baja a 0",
    "Random labels are fitted.": "Las etiquetas al azar se ajustan.",
    "Train accuracy {least:g} to {most:g} over five models":
        "Exactitud de entrenamiento de {least} a {most} en cinco modelos",
    "Networks trained on true labels generalize.":
        "Las redes entrenadas con etiquetas verdaderas generalizan.",
    "Test accuracy {least:g} to {most:g} over {n:g} models":
        "Exactitud de prueba de {least} a {most} en {n} modelos",
    "Networks trained on random labels test at chance.":
        "Las redes entrenadas con etiquetas al azar aciertan en la prueba lo mismo que el azar.",
    "Partially corrupted labels: test accuracy lies between.":
        "Etiquetas parcialmente corrompidas: la exactitud de prueba queda entre ambas.",
    "Test error at label noise 0, 0.5 and 1: 0.13, 0.71 and 0.90":
        "Error de prueba con ruido en las etiquetas 0, 0.5 y 1: 0.13, 0.71 y 0.90",
    "True labels are fitted before random labels.":
        "Las etiquetas verdaderas se ajustan antes que las etiquetas al azar.",
    "Loss 0.1 after 3.1 and 13.7 thousand steps":
        "Pérdida 0.1 tras 3.1 y 13.7 miles de pasos",
    "True labels are fitted before corrupted pixels.":
        "Las etiquetas verdaderas se ajustan antes que los píxeles corrompidos.",
    "Loss 0.1 after 3.1 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2":
        "Pérdida 0.1 tras 3.1 miles de pasos; píxeles permutados 5.1, ruido gaussiano 7.8, "
        "píxeles al azar 8.2",
    "Random labels take longer than corrupted pixels.":
        "Las etiquetas al azar tardan más que los píxeles corrompidos.",
    "Loss 0.1 after 13.7 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2":
        "Pérdida 0.1 tras 13.7 miles de pasos; píxeles permutados 5.1, ruido gaussiano 7.8, "
        "píxeles al azar 8.2",
    "The learning curves are the paper's.":
        "Las curvas de aprendizaje son las del artículo.",
    "Loss 0.1 after 3.1 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2, random "
    "labels 13.7":
        "Pérdida 0.1 tras 3.1 miles de pasos; píxeles permutados 5.1, ruido gaussiano 7.8, "
        "píxeles al azar 8.2, etiquetas al azar 13.7",
    "Random labels take {least:g} to {most:g} times as long as true labels.":
        "Las etiquetas al azar tardan de {least} a {most} veces lo que tardan las verdaderas.",
    "3.6 times (small Inception), 1.55 (small AlexNet), 1.96 (MLP 1x512), all on CIFAR-10.":
        "3.6 veces (Inception pequeña), 1.55 (AlexNet pequeña), 1.96 (MLP 1x512), todas con "
        "CIFAR-10.",
    "Time to fit grows with label noise.":
        "El tiempo hasta ajustar crece con el ruido en las etiquetas.",
    "From 1 to 3.6 times the time of true labels":
        "De 1 a 3.6 veces el tiempo de las etiquetas verdaderas",
    "Test error rises with label noise to chance.":
        "El error de prueba sube con el ruido en las etiquetas hasta el azar.",
    "From 0.13 to 0.90 (CIFAR-10, small Inception).":
        "De 0.13 a 0.90 (CIFAR-10, Inception pequeña).",
    "Random labels are fitted on ImageNet, too.":
        "Las etiquetas al azar se ajustan también en ImageNet.",
    "Train accuracy 0.9520 top-1, 0.9914 top-5":
        "Exactitud de entrenamiento 0.9520 top-1, 0.9914 top-5",
    "After random labels top-1 and top-5 are at chance in test.":
        "Tras entrenar con etiquetas al azar, top-1 y top-5 en la prueba son los del azar.",
    "0.0009 to 0.0012 top-1, 0.0049 to 0.0056 top-5":
        "De 0.0009 a 0.0012 top-1, de 0.0049 a 0.0056 top-5",
    "With all explicit regularizers off the network still generalizes.":
        "Con todos los regularizadores explícitos apagados la red aún generaliza.",
    "0.8575 against up to 0.8931 (CIFAR-10, small Inception); 0.5980 against up to 0.7784 "
    "top-1 (ImageNet, Inception V3).":
        "0.8575 frente a hasta 0.8931 (CIFAR-10, Inception pequeña); 0.5980 frente a hasta 0.7784 "
        "top-1 (ImageNet, Inception V3).",
    "Explicit regularizers do not prevent fitting random labels.":
        "Los regularizadores explícitos no impiden ajustar etiquetas al azar.",
    "0.9921 to 1.0, but the small AlexNet failed to converge (CIFAR-10); 0.8781 and 0.9118 "
    "top-1 against 0.9520 without (ImageNet, Inception V3).":
        "De 0.9921 a 1.0, pero la AlexNet pequeña no convergió (CIFAR-10); 0.8781 y 0.9118 "
        "top-1 frente a 0.9520 sin ellos (ImageNet, Inception V3).",
    "Weight decay does not prevent fitting random labels.":
        "El decaimiento de pesos no impide ajustar etiquetas al azar.",
    "1.0 small Inception, 1.0 MLP 3x512, 0.9921 MLP 1x512, the small AlexNet failed to "
    "converge (CIFAR-10); 0.8781 top-1 (ImageNet, Inception V3).":
        "1.0 Inception pequeña, 1.0 MLP 3x512, 0.9921 MLP 1x512, la AlexNet pequeña no convergió "
        "(CIFAR-10); 0.8781 top-1 (ImageNet, Inception V3).",
    "Early stopping would have won test accuracy on ImageNet.":
        "La parada temprana habría ganado exactitud de prueba en ImageNet.",
    "3.36 points without regularizers, 5.39 with weight decay":
        "3.36 puntos sin regularizadores, 5.39 con decaimiento de pesos",
    "Augmentation helps more than weight decay.":
        "El aumento de datos ayuda más que el decaimiento de pesos.",
    "0.8931 against 0.8603 (CIFAR-10, small Inception), 0.7966 against 0.7736 (small AlexNet), "
    "0.7295 against 0.6718 top-1 (ImageNet, Inception V3).":
        "0.8931 frente a 0.8603 (CIFAR-10, Inception pequeña), 0.7966 frente a 0.7736 (AlexNet "
        "pequeña), 0.7295 frente a 0.6718 top-1 (ImageNet, Inception V3).",
    "Changing the architecture wins more than any regularizer.":
        "Cambiar la arquitectura gana más que cualquier regularizador.",
    "0.8575 small Inception without a regularizer; small AlexNet up to 0.8122 with, MLP 3x512 "
    "0.5335 (CIFAR-10).":
        "0.8575 Inception pequeña sin regularizador; AlexNet pequeña hasta 0.8122 con ellos, "
        "MLP 3x512 0.5335 (CIFAR-10).",
    "Batch norm makes the learning curve smoother.":
        "Batch norm hace más suave la curva de aprendizaje.",
    "By eye, no number": "A simple vista, sin número",
    "Batch norm helps test accuracy a little.":
        "Batch norm ayuda un poco a la exactitud de prueba.",
    "0.8575 with and 0.8200 without": "0.8575 con ella y 0.8200 sin ella",
}  # fmt: skip
