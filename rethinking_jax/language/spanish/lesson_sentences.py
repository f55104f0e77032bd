"""What our runs say of the claims of the lessons, in Spanish."""

PHRASES = {
    # What is missing.
    "networks that differ in parameters": "redes que difieran en parámetros",
    "a convolutional and a dense network": "una red convolucional y una densa",
    "at least two networks": "al menos dos redes",
    "gradient descent (batch_size 0) and at least two smaller batches":
        "descenso de gradiente (batch_size 0) y al menos dos lotes menores",
    "a run that reaches training loss {loss:g}":
        "un entrenamiento que llegue a la pérdida {loss}",
    "two numbers of training examples": "dos números de ejemplos de entrenamiento",
    "N and N + K training examples for one N":
        "N y N + K ejemplos de entrenamiento para un mismo N",
    "at least four numbers of training examples and errors above 0":
        "al menos cuatro números de ejemplos de entrenamiento y errores mayores que 0",
    "runs with and without augmentation at n and 2 n training examples":
        "entrenamientos con y sin aumento de datos con n y 2 n ejemplos",
    "label noise, at least four widths, and two seeds":
        "ruido en las etiquetas, al menos cuatro anchuras y dos semillas",
    "widths whose training error is at least 0.1, and wider ones where it is 0":
        "anchuras cuyo error de entrenamiento sea al menos 0.1, y otras mayores donde sea 0",
    "a peak": "un máximo",
    "runs with and without label noise": "entrenamientos con y sin ruido en las etiquetas",
    "wrong labels, and two seeds or more with the same three measured epochs or more":
        "etiquetas equivocadas, y dos semillas o más con las mismas tres épocas medidas o más",
    "runs with as many seeds on true labels":
        "entrenamientos con otras tantas semillas con etiquetas verdaderas",
    "label noise, at least four measured epochs, and two seeds":
        "ruido en las etiquetas, al menos cuatro épocas medidas y dos semillas",
    "two seeds from such weights, and a training accuracy of 1.0":
        "dos semillas con tales pesos, y una exactitud de entrenamiento de 1.0",
    "at least three learning rates": "al menos tres tasas de aprendizaje",
    "at least two sizes of the network": "al menos dos tamaños de la red",
    "runs with preprocess=raw and with another":
        "entrenamientos con preprocess=raw y con otro",
    "runs with sgd without momentum and {names}":
        "entrenamientos con sgd sin momento y con {names}",
    "at least two settings that did not diverge":
        "al menos dos configuraciones que no diverjan",
    # Architectures.
    "{n:,} parameters": "{n} parámetros",
    "Test accuracy of the pair that is farthest out of order: {pair}: {difference}; rank "
    "correlation of accuracy and parameters over {n:g} networks {correlation:g}":
        "Exactitud de prueba de la pareja más alejada del orden: {pair}: {difference}; correlación "
        "de rangos entre exactitud y parámetros en {n} redes {correlation}",
    "Test accuracy of the worst convolutional one, {worst}, {low:g}, of the best dense one, "
    "{best}, {high:g}: {difference}":
        "Exactitud de prueba de la peor convolucional, {worst}, {low}, de la mejor densa, {best}, "
        "{high}: {difference}",
    "Forward pass of one image: {small:,} operations, VGG-style {large:,}, {ratio:g} times as many "
    "(far: at least {far:g}); parameters {few:,} and {many:,}":
        "Paso hacia adelante de una imagen: {small} operaciones, estilo VGG {large}, {ratio} veces "
        "más (muchas: al menos {far}); parámetros {few} y {many}",
    "Test accuracy of the separable one {small:g}, of the VGG-style one {large:g}: {difference}":
        "Exactitud de prueba de la separable {small}, de la de estilo VGG {large}: {difference}",
    "GFLOP of the forward pass in a second of training: {shown}; the fastest over the slowest "
    "{least:g} to {most:g} over seeds, where at most {follows:g} follows; rank correlation of time "
    "and operations {correlation:g}":
        "GFLOP del paso hacia adelante en un segundo de entrenamiento: {shown}; la más rápida "
        "es de {least} a {most} veces la más lenta, sobre semillas, donde hasta {follows} es "
        "seguirlas; "
        "correlación de rangos entre tiempo y operaciones {correlation}",
    # Batches and optimizers.
    "After {n:g} epochs gradient descent has loss {whole:g}; of the others batch {batch:g} has the "
    "highest, {highest:g}: {difference}":
        "Tras {n} épocas el descenso de gradiente tiene pérdida {whole}; de los otros el lote de "
        "{batch} tiene la más alta, {highest}: {difference}",
    "Seconds of training to loss {loss:g}: {times}":
        "Segundos de entrenamiento hasta la pérdida {loss}: {times}",
    "all {seconds:g}": "todos {seconds}",
    "{times}, all never": "{times}, todos nunca",
    "Epochs to training loss {loss:g}: {epochs}":
        "Épocas hasta la pérdida de entrenamiento {loss}: {epochs}",
    "Training loss at the end by learning rate: {losses}; guessing costs {start:g}":
        "Pérdida de entrenamiento al final según la tasa de aprendizaje: {losses}; adivinar cuesta "
        "{start}",
    "not a number": "no es un número",
    "Norm in the first epoch: {norms}": "Norma en la primera época: {norms}",
    "Training loss at the end: {losses}": "Pérdida de entrenamiento al final: {losses}",
    "Training and test accuracy at the end: {told}":
        "Exactitud de entrenamiento y de prueba al final: {told}",
    "a gap of {gap:g}": "una brecha de {gap}",
    "Smallest less largest: {difference}": "La más pequeña menos la más grande: {difference}",
    # The checkerboard.
    "In-distribution accuracy {told}": "Exactitud dentro de la distribución {told}",
    "Out-of-distribution accuracy {told}": "Exactitud fuera de la distribución {told}",
    "{accuracy:g} with {n:,}": "{accuracy} con {n}",
    "{accuracy:g} with {n:,} + {k:,}": "{accuracy} con {n} + {k}",
    "below {value:g} counts as no rise": "menos de {value} no cuenta como subida",
    "the same points": "los mismos puntos",
    "the last {n:g} measurements": "las últimas {n} mediciones",
    # The data set's size.
    "Test error {first:g} with {few:,} examples, {last:g} with {many:,}; fitted: error = "
    "{factor:g} n^-{power:g}, R² {r2:g}, at least {straight:g} counts as a power law":
        "Error de prueba {first} con {few} ejemplos, {last} con {many}; ajustado: error = {factor} "
        "n^-{power}, R² {r2}, desde {straight} cuenta como ley de potencias",
    "It lowers the test error by {told}": "Baja el error de prueba en {told}",
    "Twice the data and augmentation win {told}":
        "El doble de datos y el aumento de datos ganan {told}",
    # Double descent.
    "{error:g} at width {width:,}": "{error} con anchura {width}",
    "{error:g} after epoch {epoch:,}": "{error} tras la época {epoch}",
    "Test error, label noise {noise:g}: {valley}, {peak}, {end}; a rise of {rise} and a fall of "
    "{fall}, 95 % intervals, each seed at the widths that the others choose":
        "Error de prueba, ruido en las etiquetas {noise}: {valley}, {peak}, {end}; una subida de "
        "{rise} y una bajada de {fall}, intervalos del 95 %, cada semilla en las anchuras que "
        "eligen las otras",
    "The peak is at width {peak:,}; the training error is at least 0.1 up to width {low:,}, and 0 "
    "from width {high:,} on":
        "El máximo está en la anchura {peak}; el error de entrenamiento es al menos 0.1 hasta la "
        "anchura {low}, y 0 desde la anchura {high}",
    "Without noise the largest rise is {without}, with noise {noise:g} it is larger by {more}, "
    "95 % intervals":
        "Sin ruido la mayor subida es {without}, con ruido {noise} es mayor en {more}, intervalos "
        "del 95 %",
    "Test error {places}; a rise of {rise} and a fall of {fall}, 95 % intervals, each seed at the "
    "epochs that the others choose":
        "Error de prueba {places}; una subida de {rise} y una bajada de {fall}, intervalos del "
        "95 %, cada semilla en las épocas que eligen las otras",
    "Test error {end:g} in the end, lower than where it began to rise by {gain}, 95 % interval":
        "Error de prueba {end} al final, menor que donde empezó a subir en {gain}, intervalo del "
        "95 %",
    # Early learning.
    "95 % interval, each seed at the epoch that the others choose":
        "intervalo del 95 %, cada semilla en la época que eligen las otras",
    "Given their true class {share:g} at most, after epoch {epoch:,}, when {memorized:g} are "
    "memorized; {difference}":
        "Reciben su clase verdadera {share} como máximo, tras la época {epoch}, cuando están "
        "memorizadas {memorized}; {difference}",
    "After epoch {epoch:,} {share:g} are given their true class, {fewer} fewer than at most, and "
    "{memorized:g} are memorized, {more} more than that, {interval}":
        "Tras la época {epoch}, {share} reciben su clase verdadera, {fewer} menos que como máximo, "
        "y están memorizadas {memorized}, {more} más que eso, {interval}",
    "Test accuracy {best:g} after epoch {early:,}, {last:g} after epoch {late:,}; a loss of {lost}":
        "Exactitud de prueba {best} tras la época {early}, {last} tras la época {late}; una "
        "pérdida de {lost}",
    "With true labels the test accuracy ends at {end:g}, a loss of {own}; with wrong labels the "
    "loss is larger by {more}":
        "Con etiquetas verdaderas la exactitud de prueba termina en {end}, una pérdida de {own}; "
        "con etiquetas equivocadas la pérdida es mayor en {more}",
    # Grokking.
    "Initial weights x {scale:g}: every training example is right after {epochs:,} epochs; test "
    "accuracy is then {then:g} and in the end {end:g}, a rise of {rise:g} ({low:g} to {high:g}, "
    "95 % over seeds)":
        "Pesos iniciales x {scale}: todo ejemplo de entrenamiento es correcto tras {epochs} "
        "épocas; la exactitud de prueba es entonces {then} y al final {end}, una subida de {rise} "
        "({low} a {high}, 95 % sobre semillas)",
    # Validation.
    "{layers}, learning rate {rate:g}": "{layers}, tasa {rate}",
    "Validation accuracy {best:g} with {setting}, {worst:g} with {other}: {difference}":
        "Exactitud de validación {best} con {setting}, {worst} con {other}: {difference}",
    "Of {n:g} other settings {equals:g} cannot be told from {best} by {count:,} examples; the next "
    "is {next}: {difference}":
        "De {n} configuraciones más {equals} no se distinguen de {best} con {count} ejemplos; la "
        "siguiente es {next}: {difference}",
    "{setting}: validation accuracy {validation:g} on {count:,} examples, test accuracy {test:g} "
    "on {examples:,}: {difference}":
        "{setting}: exactitud de validación {validation} con {count} ejemplos, exactitud de prueba "
        "{test} con {examples}: {difference}",
}  # fmt: skip
