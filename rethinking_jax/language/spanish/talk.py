"""The words of the talk, on its slides and in its script, in Spanish."""

# ruff: noqa: E501

PHRASES = {
    # What several slides have.
    "Ours: {what}.": "Lo nuestro: {what}.",
    "The paper: {place}.": "El artículo: {place}.",
    "ours: {name}": "lo nuestro: {name}",
    "the paper: {name}": "el artículo: {name}",
    "{network} (ours)": "{network} (lo nuestro)",
    "{network} (the paper)": "{network} (el artículo)",
    "the paper's {network}": "{network} del artículo",
    "Not measured in these runs. This measures it:":
        "No se midió en estos experimentos. Esto lo mide:",
    "flip and rotation": "reflexión y rotación",
    "{n} networks": "{n} redes",
    "{least} to {most} seeds": "de {least} a {most} semillas",
    "{n} seconds, from {start} to {end}": "{n} segundos, de {start} a {end}",
    "The whole talk takes {n} seconds: {clock} minutes.":
        "Toda la charla dura {n} segundos: {clock} minutos.",
    "training images": "imágenes de entrenamiento",
    "training error": "error de entrenamiento",
    "generalization error": "error de generalización",
    "ours: training": "nuestro: entren.",
    "ours: test": "nuestro: prueba",
    "the paper: training": "artículo: entren.",
    "the paper: test": "artículo: prueba",
    "label noise {noise}":
        "ruido en las etiquetas {noise}",
    # The report of the talk's own workdir.
    "What the talk is made of": "De qué está hecha la charla",
    "experiment": "experimento",
    "config": "configuración",
    "deck": "diapositivas",
    "parts": "partes",
    "talk.pptx, to be edited; the script stands in its notes":
        "talk.pptx, para editar; el guion está en sus notas",
    "each has a report of its own, in its folder":
        "cada una tiene su propio reporte, en su carpeta",
    # Where numbers of the paper are from.
    "CIFAR-10, Table 1": "CIFAR-10, Tabla 1",
    "CIFAR-10, Table 4": "CIFAR-10, Tabla 4",
    "CIFAR-10, small Inception, Table 1": "CIFAR-10, Inception pequeña, Tabla 1",
    "CIFAR-10, small Inception, read off Figure 1a":
        "CIFAR-10, Inception pequeña, leído de la Figura 1a",
    "CIFAR-10, small Inception, Table 1 and Figure 2b":
        "CIFAR-10, Inception pequeña, Tabla 1 y Figura 2b",
    "CIFAR-10, read off Figure 1b": "CIFAR-10, leído de la Figura 1b",
    "CIFAR-10, read off Figure 1c": "CIFAR-10, leído de la Figura 1c",
    "ImageNet, Inception V3, Table 2, top-1": "ImageNet, Inception V3, Tabla 2, top-1",
    "ImageNet, Inception V3, Table 2 and Figure 2a":
        "ImageNet, Inception V3, Tabla 2 y Figura 2a",
    "Table 3 and section 5, all training images":
        "Tabla 3 y sección 5, todas las imágenes de entrenamiento",
    "Theorem 1, section 4": "Teorema 1, sección 4",
    "section 2.1": "sección 2.1",
    "section 2.2, an argument and no number": "sección 2.2, un argumento sin números",
    "section 5, an argument and no number": "sección 5, un argumento sin números",
    "The scores: Feldman and Zhang 2020. Not in the paper.":
        "Los valores: Feldman y Zhang 2020. No están en el artículo.",
    "Double descent: Belkin and others 2019. Not in the paper.":
        "El doble descenso: Belkin y otros 2019. No está en el artículo.",
    # The opening.
    "What do deep networks memorize?": "¿Qué memorizan las redes profundas?",
    "After Zhang, Bengio, Hardt, Recht and Vinyals: “Understanding deep learning requires rethinking generalization”, ICLR 2017":
        "Según Zhang, Bengio, Hardt, Recht y Vinyals: «Understanding deep learning requires rethinking generalization», ICLR 2017",
    "With our own measurements on {datasets}":
        "Con mediciones propias en {datasets}",
    "This talk is about one paper of 2017, and about what we make of it today.":
        "Esta charla trata de un artículo de 2017 y de lo que hoy nos dice.",
    "This talk is about one paper of 2017, and about what came out when we ran its experiments ourselves on {datasets}.":
        "Esta charla trata de un artículo de 2017 y de lo que salió al repetir sus experimentos en {datasets}.",
    "The question": "La pregunta",
    "A network with more parameters than examples could learn them by heart.":
        "Una red con más parámetros que ejemplos podría aprenderlos de memoria.",
    "Why does it do well on images that it has never seen?":
        "¿Por qué acierta en imágenes que nunca ha visto?",
    "The paper's small Inception has {theirs:,.0f} parameters for each training image.":
        "La Inception pequeña del artículo tiene {theirs:,.0f} parámetros por imagen.",
    "Ours has up to {ours:,.0f}.":
        "La nuestra, hasta {ours:,.0f}.",
    "So many numbers could store the training set. Classical theory would expect a network like this to do badly on new images. It does well. The question is why.":
        "Con tantos números cabría todo el conjunto de entrenamiento. La teoría clásica esperaría que fallara en imágenes nuevas. Pero acierta. La pregunta es por qué.",
    "parameters per image": "parámetros por imagen",
    "What generalization is": "Qué es la generalización",
    "Training error: the share of wrong answers on what it has learned.":
        "Error de entrenamiento: la parte de respuestas falsas en lo que aprendió.",
    "Generalization error: test error minus training error.":
        "Error de generalización: error de prueba menos error de entrenamiento.",
    "We call the difference between test error and training error the generalization error.":
        "La diferencia entre error de prueba y error de entrenamiento es el error de generalización.",
    "Same network, same images: with true labels it is {true}, with random labels {random}. Only the labels differ.":
        "La misma red, las mismas imágenes: con etiquetas verdaderas es {true}; con etiquetas al azar, {random}. Solo cambian las etiquetas.",
    # The randomization tests.
    "The randomization tests": "Las pruebas de aleatorización",
    "Partially corrupted labels: each label is redrawn with probability p.":
        "Etiquetas parcialmente corrompidas: cada una se sortea de nuevo con probabilidad p.",
    "Random labels: all of them are redrawn.": "Etiquetas al azar: se sortean todas.",
    "Shuffled pixels: one permutation of the pixels, the same for all images.":
        "Píxeles permutados: una permutación de los píxeles, la misma en todas las imágenes.",
    "Random pixels: another permutation for each image.":
        "Píxeles al azar: otra permutación en cada imagen.",
    "Gaussian: noise in place of every image, with the mean and variance of the data.":
        "Ruido gaussiano en lugar de cada imagen, con la media y la varianza de los datos.",
    "All is drawn once and stays the same in every epoch. Training is not changed.":
        "Todo se sortea una vez y no cambia entre épocas. El entrenamiento es el mismo.",
    "The idea comes from statistics: destroy the signal, and see whether the method notices. The labels are drawn at random, or the pixels are, once and for all. Then the network is trained exactly as before. If it still fits, it has learned by heart: there is nothing else to learn.":
        "La idea viene de la estadística: destruir la señal y ver si el método lo nota. Las etiquetas o los píxeles se sortean una sola vez. Luego se entrena igual que antes. Si la red ajusta, aprendió de memoria: no hay otra cosa que aprender.",
    "partly random labels": "etiquetas en parte al azar",
    "What the network sees": "Lo que ve la red",
    "Each row is one test, each column one image. The label stands below its image; red is a label that is not the true one. In every epoch the network sees just this.":
        "Cada fila es una prueba y cada columna una imagen. Debajo está su etiqueta; en rojo, las que no son verdaderas. En cada época la red ve exactamente esto.",
    "The picture needs the images, which are not at hand here.":
        "La figura necesita las imágenes, que aquí no están disponibles.",
    "Training images of {dataset} in each setting, and below each the label that it is trained with; wrong labels are red.":
        "Imágenes de entrenamiento de {dataset} en cada prueba, y debajo de cada una la etiqueta con la que se entrena; las falsas, en rojo.",
    "Each row is one test; a red label is not the true one. Every epoch has the same images and labels.":
        "Cada fila es una prueba; en rojo, etiquetas que no son las verdaderas. Son las mismas imágenes y etiquetas en cada época.",
    "Is noise fitted, too?": "¿También se ajusta el ruido?",
    "The paper's test accuracy after random labels: {test}, which is chance.":
        "Exactitud de prueba del artículo tras etiquetas al azar: {test}, que es el azar.",
    "In the paper the small Inception fits random labels of CIFAR-10 perfectly. Its test accuracy is {test}: chance. We have no numbers of ours here.":
        "En el artículo, la Inception pequeña ajusta por completo etiquetas al azar de CIFAR-10. Su exactitud de prueba es {test}: el azar. Aquí no tenemos números propios.",
    "Training accuracy is what surprises. Ours on random labels is {train}, the paper's is {paper_train}: such a network knows its labels by heart. Of new images it then gets {test} right, in the paper {paper_test}: that is chance. With true labels the same network gets {true}.":
        "Lo que sorprende es la exactitud de entrenamiento. Con etiquetas al azar, la nuestra es {train} y la del artículo {paper_train}: una red así sabe sus etiquetas de memoria. En imágenes nuevas acierta {test}, en el artículo {paper_test}: es el azar. Con etiquetas verdaderas, la misma red llega a {true}.",
    "The paper: random labels are fitted, and in test that is worth nothing.":
        "El artículo: las etiquetas al azar se ajustan, y en la prueba eso no vale nada.",
    "Learning curves":
        "Curvas de aprendizaje",
    "The paper's losses all go to zero.":
        "Todas las pérdidas del artículo llegan a cero.",
    "The paper's Figure 1a: training loss of the small Inception on CIFAR-10":
        "Figura 1a del artículo: pérdida de entrenamiento de la Inception pequeña en CIFAR-10",
    "Our training loss in each setting": "Nuestra pérdida de entrenamiento en cada prueba",
    "These are the paper's curves. Each loss goes to zero. True labels are first, random labels last. Once the loss falls, it falls as fast as with true labels.":
        "Estas son las curvas del artículo. Toda pérdida llega a cero: primero las etiquetas verdaderas, al final las etiquetas al azar. Cuando la pérdida cae, cae tan rápido como con las verdaderas.",
    "On the left our curves, on the right the paper's, where every loss goes to zero. Ours fit true labels after {true} epochs and random ones after {random}. Nothing in training had to be changed, not even the learning rate. And once the loss falls, it falls fast.":
        "A la izquierda nuestras curvas, a la derecha las del artículo, donde toda pérdida llega a cero. Las nuestras ajustan las etiquetas verdaderas en {true} épocas y las etiquetas al azar en {random}. No hubo que cambiar nada, ni la tasa de aprendizaje. Y cuando la pérdida cae, cae rápido.",
    "Left: ours. Right: the paper's, where every loss goes to zero.":
        "Izquierda: lo nuestro. Derecha: el artículo, donde toda pérdida llega a cero.",
    "Label noise and the time to fit": "El ruido en las etiquetas y el tiempo hasta ajustar",
    "The paper: random labels take {mlp:.1f} to {inception:.1f} times as long.":
        "El artículo: las etiquetas al azar tardan de {mlp:.1f} a {inception:.1f} veces más.",
    "In the paper random labels take between {mlp:.1f} and {inception:.1f} times as long as true ones. Not a hundred times: optimization stays easy.":
        "En el artículo, las etiquetas al azar tardan entre {mlp:.1f} y {inception:.1f} veces lo que las verdaderas. No cien veces: optimizar sigue siendo fácil.",
    "Ours: {most:.1f} times as long as true labels.":
        "Lo nuestro: {most:.1f} veces lo que tardan las verdaderas.",
    "How much longer does it take when labels are random? With all of them random it is {most:.1f} times as long here, and up to {inception:.1f} times in the paper.":
        "¿Cuánto más tarda con etiquetas al azar? Si todas lo son, aquí tarda {most:.1f} veces lo que con las verdaderas; en el artículo, hasta {inception:.1f} veces.",
    "Time to fit, relative to true labels, against label noise":
        "Tiempo hasta ajustar, relativo a las etiquetas verdaderas, según el ruido",
    "Label noise and the test error": "El ruido en las etiquetas y el error de prueba",
    "The paper, small Inception: from {least:.2f} to {most:.2f}, which is chance.":
        "El artículo, Inception pequeña: de {least:.2f} a {most:.2f}, que es el azar.",
    "The paper's networks fit all of these labels: training error cannot tell them apart.":
        "Las redes del artículo ajustan todas estas etiquetas: el error de entrenamiento no las distingue.",
    "All these networks have training error zero. In the paper test error goes from {least:.2f} to {most:.2f}, which is chance. So training error says nothing about test error.":
        "Todas estas redes tienen error de entrenamiento cero. En el artículo, el error de prueba va de {least:.2f} a {most:.2f}, que es el azar. El error de entrenamiento no dice nada del de prueba.",
    "Ours: from {least} to {most}.": "Lo nuestro: de {least} a {most}.",
    "Every point is a network that was trained to fit its labels. Test error goes from {least} without noise to {most} with nothing but noise; in the paper to {paper:.2f}. We can set it to any value in between without touching the network. So what we know of the network cannot explain it.":
        "Cada punto es una red entrenada para ajustar sus etiquetas. El error de prueba va de {least} sin ruido a {most} con puro ruido; en el artículo, a {paper:.2f}. Podemos elegir cualquier valor intermedio sin tocar la red. Lo que sabemos de la red no puede explicarlo.",
    "Test error against label noise": "Error de prueba según el ruido en las etiquetas",
    "Architectures without regularizers": "Arquitecturas sin regularizadores",
    "Test accuracy without any explicit regularizer":
        "Exactitud de prueba sin ningún regularizador explícito",
    "Accuracy in training and in test": "Exactitud de entrenamiento y de prueba",
    "the paper: test, random labels": "artículo: prueba, etiquetas al azar",
    "In the paper the small Inception tests at {best} without any regularizer, a flat network at {worst}. All of them fit random labels.":
        "En el artículo, la Inception pequeña llega a {best} en la prueba sin regularizador; una red plana, a {worst}. Todas ajustan etiquetas al azar.",
    "The paper's networks all have room for noise, so that is not what tells them apart. Ours go from {low} ({bottom}) to {high} ({top}) in test, the paper's from {worst} to {best}. Something in an architecture prefers functions that generalize.":
        "En todas las redes del artículo cabe el ruido: no es eso lo que las distingue. Las nuestras van de {low} ({bottom}) a {high} ({top}) en la prueba; las del artículo, de {worst} a {best}. Algo en una arquitectura prefiere funciones que generalizan.",
    # Capacity.
    "Rademacher complexity: the bound is empty": "Complejidad de Rademacher: la cota queda vacía",
    "How well can the class fit random signs? 1 is the most there is.":
        "¿Qué tan bien ajusta la clase signos al azar? 1 es lo máximo.",
    "The paper: about 1 for networks that fit random labels. A bound above one half allows a coin.":
        "El artículo: cerca de 1 si la red ajusta etiquetas al azar. Una cota de más de un medio admite un volado.",
    "Rademacher complexity asks how well a class of functions can fit coin flips. A network that fits random labels fits these, too: its complexity is about one, and the bound that follows says that the error is at most one. We knew that before.":
        "La complejidad de Rademacher pregunta qué tan bien ajusta una clase de funciones volados al azar. Una red que ajusta etiquetas al azar también ajusta estos: su complejidad es casi uno, y la cota dice que el error es a lo más uno. Eso ya se sabía.",
    "{network}, {n} parameters": "{network}, {n} parámetros",
    "Ours: {value} for {network} on {n} images.":
        "Lo nuestro: {value} con {network} en {n} imágenes.",
    "Rademacher complexity asks how well a class of functions can fit coin flips. We trained networks on random signs. {network} reaches {value} on {n} images, where one is the most there is. So the bound says that the error is at most one. A network with {few} parameters is at {low}: a bound says something only well below one half.":
        "La complejidad de Rademacher pregunta qué tan bien ajusta una clase de funciones volados al azar. Entrenamos redes con signos al azar. {network} llega a {value} en {n} imágenes; lo máximo es uno. La cota dice entonces que el error es a lo más uno. Una red con {few} parámetros está en {low}: una cota dice algo solo muy por debajo de un medio.",
    "Empirical Rademacher complexity, found by training on random signs":
        "Complejidad empírica de Rademacher, hallada al entrenar con signos al azar",
    "estimate (a lower bound)": "estimación (cota inferior)",
    "{n} draws of signs": "{n} sorteos de signos",
    "VC dimension: larger than the training set":
        "Dimensión VC: mayor que el conjunto de entrenamiento",
    "A class that fits every labeling of n points has VC dimension n or more.":
        "Una clase que ajusta todo etiquetado de n puntos tiene dimensión VC de n o más.",
    "The paper: networks that fit random labels shatter their training set, and the bound says nothing.":
        "El artículo: las redes que ajustan etiquetas al azar pulverizan su conjunto de entrenamiento, y la cota no dice nada.",
    "The VC dimension is the largest number of points of which a class fits every labeling. A network that fits whatever labels we draw has at least as many as there are training images. The bound compares the two, and is empty again.":
        "La dimensión VC es el mayor número de puntos de los que una clase ajusta todo etiquetado. Una red que ajusta las etiquetas que sorteemos tiene al menos tantos como imágenes hay. La cota compara ambos, y queda vacía otra vez.",
    "Ours, points per weight at which half of the labelings fit: {list}.":
        "Lo nuestro, puntos por peso con los que se ajusta la mitad de los etiquetados: {list}.",
    "{network}: {ratio:.2f}": "{network}: {ratio:.2f}",
    "{network}, {n} weights": "{network}, {n} pesos",
    "The VC dimension asks for how many points every labeling can be fitted. In a small experiment the point where half of the labelings fit is, in points per weight: {list}. So capacity grows with the number of weights. The paper's networks have more of them than images, and fit random labels, too: there the bound says nothing.":
        "La dimensión VC pregunta de cuántos puntos se ajusta todo etiquetado. En un experimento pequeño, la mitad de los etiquetados se ajusta con estos puntos por peso: {list}. La capacidad crece con el número de pesos. Las redes del artículo tienen más pesos que imágenes y ajustan también etiquetas al azar: ahí la cota no dice nada.",
    "Share of labelings that training fits, against points per weight":
        "Proporción de etiquetados que el entrenamiento ajusta, según los puntos por peso",
    "points per weight": "puntos por peso",
    "at most {n} labelings of each set of points":
        "a lo más {n} etiquetados de cada conjunto de puntos",
    "Uniform stability: blind to the labels": "Estabilidad uniforme: ciega a las etiquetas",
    "A stable method hardly changes when one training example does.":
        "Un método estable apenas cambia si cambia un ejemplo de entrenamiento.",
    "Uniform stability would need a change of about 1/n for every example. It does not look at labels.":
        "La estabilidad uniforme pide un cambio de cerca de 1/n en todo ejemplo. No mira las etiquetas.",
    "Stability is about the algorithm: does its answer change when one example does? Uniform stability takes the worst case over all data, so it is the same for true and for random labels. It cannot tell why one generalizes and the other does not.":
        "La estabilidad trata del algoritmo: ¿cambia su respuesta si cambia un ejemplo? La uniforme toma el peor caso de todos los datos; es igual con etiquetas verdaderas y con etiquetas al azar. No puede decir por qué unas generalizan y otras no.",
    "Stability is about the algorithm: does its answer change when one example does? We trained twins that differ in one example. With {labels} the loss of some test image changes by {most}, where uniform stability would need about {bound}. And the definition takes the worst case over all labels: it cannot tell true ones from random ones.":
        "La estabilidad trata del algoritmo: ¿cambia su respuesta si cambia un ejemplo? Entrenamos gemelas que difieren en uno. Con {labels}, la pérdida de alguna imagen de prueba cambia en {most}; la estabilidad uniforme pediría cerca de {bound}. Y la definición toma el peor caso de todas las etiquetas: no distingue las verdaderas.",
    "twins trained on": "gemelas entrenadas con",
    "distance of the weights": "distancia entre pesos",
    "change of loss, mean": "cambio de la pérdida, medio",
    "change of loss, most": "cambio de la pérdida, máximo",
    "Theorem 1: small networks can memorize, too":
        "Teorema 1: también las redes pequeñas memorizan",
    "For any n points in d dimensions and any labels there is a network with two layers and 2n + d weights that takes them.":
        "Para n puntos cualesquiera en d dimensiones y cualesquiera etiquetas hay una red de dos capas y 2n + d pesos que las toma.",
    "And it takes no giant. The paper proves that a ReLU network with two layers and two n plus d weights can take any labels of n points. Not even a large network is needed to learn by heart.":
        "Y no hace falta una red gigante. El artículo demuestra que una red ReLU de dos capas y dos n más d pesos toma cualesquiera etiquetas de n puntos. Para aprender de memoria ni siquiera hace falta una red grande.",
    "Ours: that network, built for {labels}.":
        "Lo nuestro: esa red, construida para {labels}.",
    "And it takes no giant. The paper proves that two layers and two n plus d weights are enough for any labels of n points. We built that network: for {n} images with {weights} weights it takes {share} of the labels in double precision, in single precision {single}.":
        "Y no hace falta una red gigante. El artículo demuestra que bastan dos capas y dos n más d pesos para cualesquiera etiquetas de n puntos. Construimos esa red: para {n} imágenes, con {weights} pesos, toma {share} de las etiquetas en precisión doble y {single} en simple.",
    "points n": "puntos n",
    "labels taken, double precision": "etiquetas tomadas, precisión doble",
    "labels taken, single precision": "etiquetas tomadas, precisión simple",
    # Explicit regularizers.
    "What explicit regularizers win": "Qué ganan los regularizadores explícitos",
    "Weight decay, dropout and augmentation, with true labels.":
        "Decaimiento de pesos, dropout y aumento de datos, con etiquetas verdaderas.",
    "The paper: without any of them the network still generalizes.":
        "El artículo: sin ninguno de ellos la red también generaliza.",
    "Are regularizers the answer? In the paper the small Inception tests at {both} with augmentation and weight decay, and at {none} without any. They help, and they are not why it generalizes: the gap to chance is there without them.":
        "¿Son los regularizadores la respuesta? En el artículo, la Inception pequeña llega a {both} con aumento de datos y decaimiento de pesos, y a {none} sin ninguno. Ayudan, pero no son la razón de que generalice: está lejos del azar también sin ellos.",
    "Are regularizers the answer? Ours tests at {plain} with all of them off, and at {most} at best, with this on: {best}. In the paper the small Inception has {none} against {both}. What they add is small beside what is there without them, it says: they are not the reason why networks generalize.":
        "¿Son los regularizadores la respuesta? La nuestra llega a {plain} sin ninguno, y en el mejor caso a {most}, con esto: {best}. En el artículo, la Inception pequeña tiene {none} contra {both}. Lo que añaden, dice, es poco junto a lo que hay sin ellos: no son la razón de que las redes generalicen.",
    "Do they prevent fitting noise?": "¿Impiden ajustar el ruido?",
    "Training accuracy on random labels, with explicit regularizers switched on.":
        "Exactitud de entrenamiento con etiquetas al azar y regularizadores explícitos.",
    "With weight decay the paper's Inception still fits random labels: training accuracy {decay}. With augmentation, too, nearly. Only its AlexNet failed with weight decay. A regularizer that does not rule out noise cannot explain why noise is avoided.":
        "Con decaimiento de pesos, la Inception del artículo ajusta etiquetas al azar: exactitud {decay}. Con aumento de datos, casi. Solo su AlexNet falló con decaimiento. Un regularizador que no excluye el ruido no puede explicar por qué se evita.",
    "Now the other way round: do they prevent learning by heart? On random labels our training accuracies are: {list}. In the paper weight decay leaves it at {decay} for Inception, and only AlexNet failed. What does not rule out noise cannot explain why networks avoid it.":
        "Y al revés: ¿impiden aprender de memoria? Con etiquetas al azar, nuestras exactitudes de entrenamiento son: {list}. En el artículo, el decaimiento de pesos la deja en {decay} con Inception; solo AlexNet falló. Lo que no excluye el ruido no explica por qué se evita.",
    "training accuracy, random labels": "exactitud de entrenamiento, etiquetas al azar",
    "The same on ImageNet": "Lo mismo en ImageNet",
    "Accuracy of Inception V3 on 1.3 million images of 1,000 classes":
        "Exactitud de Inception V3 en 1.3 millones de imágenes de 1,000 clases",
    "It is no matter of small images. On ImageNet Inception V3 fits {train} of random labels. With true labels it tests at {best} with all regularizers and at {plain} with none of them, out of a thousand classes.":
        "No es cosa de imágenes pequeñas. En ImageNet, Inception V3 ajusta {train} de las etiquetas al azar. Con las verdaderas llega a {best} en la prueba con todos los regularizadores y a {plain} sin ninguno, entre mil clases.",
    "labels, regularizers": "etiquetas, regularizadores",
    "Early stopping": "Parada temprana",
    "Stop where the test accuracy is best, not at the end of training.":
        "Parar donde la exactitud de prueba es mejor, no al final.",
    "The paper: {gain:.3f} won on ImageNet without regularizers, hardly anything on CIFAR-10.":
        "El artículo: gana {gain:.3f} en ImageNet sin regularizadores, casi nada en CIFAR-10.",
    "Stopping early is a regularizer, too. On ImageNet it would have won {gain:.3f} of test accuracy, without other regularizers. On CIFAR-10 the paper finds hardly any gain. So it may help, as the others may.":
        "Parar antes también regulariza. En ImageNet habría ganado {gain:.3f} de exactitud de prueba, sin otros regularizadores. En CIFAR-10 el artículo casi no ve ganancia. Puede ayudar, como los demás.",
    "Ours, {kinds}: best epoch {best}, last epoch {end}. The best one is chosen on the test set, so noise wins, too.":
        "Lo nuestro, {kinds}: mejor época {best}, última {end}. La mejor se elige en la prueba: también gana el ruido.",
    "Stopping early is a regularizer, too. Ours ({kinds}) has test accuracy {best} in its best epoch and {end} in its last. The paper finds {gain:.3f} on ImageNet and hardly any gain on CIFAR-10. Mind that the best of many epochs is chosen on the test set itself: a part of that gain is luck.":
        "Parar antes también regulariza. La nuestra ({kinds}) llega a {best} en su mejor época y a {end} en la última. El artículo halla {gain:.3f} en ImageNet y casi nada en CIFAR-10. Ojo: la mejor de muchas épocas se elige en la prueba misma; parte de la ganancia es suerte.",
    "Test accuracy over training, with and without regularizers":
        "Exactitud de prueba durante el entrenamiento, con y sin regularizadores",
    "Batch norm": "Batch norm",
    "It makes training smoother; it was not made to regularize.":
        "Suaviza el entrenamiento; no se hizo para regularizar.",
    "The paper: {having} with, {lacking} without.": "El artículo: {having} con ella, {lacking} sin ella.",
    "Ours: {having} with, {lacking} without.": "Lo nuestro: {having} con ella, {lacking} sin ella.",
    "Batch norm is an implicit regularizer: it smooths training. In the paper it wins a few points, {having} against {lacking}.":
        "Batch norm es un regularizador implícito: suaviza el entrenamiento. En el artículo gana unos puntos, {having} contra {lacking}.",
    "Batch norm is an implicit regularizer: it smooths training. Ours ends at {ours} with it and at {without} without; in the paper it is {having} against {lacking}, a few points.":
        "Batch norm es un regularizador implícito: suaviza el entrenamiento. La nuestra termina en {ours} con ella y en {without} sin ella; en el artículo son {having} contra {lacking}, unos puntos.",
    "Test accuracy of the small Inception with and without batch norm":
        "Exactitud de prueba de la Inception pequeña con y sin batch norm",
    # Implicit regularizers.
    "SGD as a regularizer: the least norm": "SGD como regularizador: la norma mínima",
    "A linear model with more features than examples has many solutions.":
        "Un modelo lineal con más características que ejemplos tiene muchas soluciones.",
    "SGD that starts at zero finds the one of least norm: a regularizer that nobody switched on.":
        "SGD desde cero halla la de norma mínima: un regularizador que nadie encendió.",
    "Where is a regularizer then? In linear models the answer is known. Among all solutions that fit, SGD from zero finds the one of least norm. The algorithm itself is an implicit regularizer. For deep networks the paper leaves it open.":
        "¿Dónde está entonces el regularizador? En modelos lineales se sabe. De todas las soluciones que ajustan, SGD desde cero halla la de norma mínima. El algoritmo mismo es un regularizador implícito. Para redes profundas el artículo lo deja abierto.",
    "Where is a regularizer then? In linear models we know. With {n} images and {d} features there are many solutions. SGD from zero ends within {distance:.1g} of the one of least norm; from another start it ends elsewhere, {away:.2f} away, and tests at error {other} instead of {zero}. The algorithm regularizes.":
        "¿Dónde está entonces el regularizador? En modelos lineales se sabe. Con {n} imágenes y {d} características hay muchas soluciones. SGD desde cero termina a {distance:.1g} de la de norma mínima; desde otro punto, a {away:.2f}, y su error de prueba es {other} y no {zero}. El algoritmo regulariza.",
    "SGD starts at": "SGD empieza en",
    "another point": "otro punto",
    "relative distance to the least norm": "distancia relativa a la norma mínima",
    "Kernels interpolate, and generalize": "Los kernels interpolan, y generalizan",
    "The paper: the least norm is not all; wavelets test better, with a larger norm.":
        "El artículo: la norma mínima no es todo; los wavelets yerran menos, con mayor norma.",
    "the paper: {data}, {kind}": "el artículo: {data}, {kind}",
    "gaussian kernel": "kernel gaussiano",
    "gabor kernel": "kernel en wavelets de Gabor",
    "laplacian kernel": "kernel laplaciano",
    "linear kernel": "kernel lineal",
    "random_conv kernel": "kernel de filtros al azar",
    "Kernel machines solve for the least norm exactly. In the paper they reach error {pixels} on MNIST, with wavelets {wavelets}, although the norm is larger there, {large:.0f} instead of {small:.0f}. So the norm alone does not predict what generalizes.":
        "Las máquinas de kernel dan la norma mínima exacta. En el artículo llegan a error {pixels} en MNIST y, con wavelets, a {wavelets}, con mayor norma: {large:.0f} y no {small:.0f}. La norma sola no predice qué generaliza.",
    "Our test errors: {list}.": "Nuestros errores de prueba: {list}.",
    # The end.
    "Conclusion": "Conclusión",
    "Networks that we use have room to memorize their whole training set.":
        "En las redes que usamos cabe de memoria todo su conjunto de entrenamiento.",
    "Optimization stays easy where there is nothing to generalize from.":
        "Optimizar sigue siendo fácil aunque no haya nada que generalizar.",
    "Explicit regularizers are neither needed for generalization nor enough to explain it.":
        "Los regularizadores explícitos no son necesarios para generalizar ni bastan para explicarlo.",
    "So capacity, as we measured it, cannot be the reason.":
        "La capacidad, como se medía, no puede ser la razón.",
    "Of {n} claims of the paper that we judged, {yes} came out yes and {no} no at least once.":
        "De {n} afirmaciones del artículo que juzgamos, {yes} salieron sí y {no} no al menos una vez.",
    "To conclude: networks can memorize, and they generalize all the same. Regularizers help, and the paper's network tests at {test} without any. So the measures that we had do not explain it.":
        "En conclusión: las redes pueden memorizar, y aun así generalizan. Los regularizadores ayudan, y la red del artículo llega a {test} sin ellos. Las medidas que había no lo explican.",
    "Of {n} claims of the paper that we judged on our small runs, {yes} came out yes everywhere, and {no} no at least once. A no on small data is no refutation: it says that there we could not see it.":
        "De {n} afirmaciones del artículo que juzgamos con nuestros experimentos pequeños, {yes} salieron sí en todos y {no} no al menos una vez. Un no con pocos datos no refuta: dice que ahí no se vio.",
    "What came after: which examples are memorized": "Lo que vino después: qué se memoriza",
    "Feldman and Zhang 2020: how much likelier is the right answer on an example when the network has trained on it?":
        "Feldman y Zhang 2020: ¿cuánto más probable es acertar en un ejemplo si la red entrenó con él?",
    "0: learned from the others. 1: by heart.": "0: aprendido de los demás. 1: de memoria.",
    "Since then the question has become finer: not whether a network memorizes, but what. Feldman and Zhang give each example a score: how much likelier is its label when the example is in the training set? We have no scores of ours here.":
        "Desde entonces la pregunta es más fina: no si una red memoriza, sino qué. Feldman y Zhang dan a cada ejemplo un valor: ¿cuánto más probable es su etiqueta si estuvo en el entrenamiento? Aquí no tenemos valores propios.",
    "Since then the question has become finer: not whether a network memorizes, but what. Feldman and Zhang score each example: how much likelier is its label when the example was trained on? Ours average {mean}.":
        "Desde entonces la pregunta es más fina: no si una red memoriza, sino qué. Feldman y Zhang dan a cada ejemplo un valor: ¿cuánto más probable es su etiqueta si se entrenó con él? La media de los nuestros es {mean}.",
    "Examples with a wrong label have {corrupted}, the others {clean}.":
        "Los ejemplos con etiqueta falsa tienen {corrupted}; los demás, {clean}.",
    "mean score": "valor medio",
    "mean, wrong labels": "media, etiquetas falsas",
    "mean, right labels": "media, etiquetas correctas",
    "What came after: double descent": "Lo que vino después: el doble descenso",
    "Belkin and others 2019, Nakkiran and others 2020: beyond the size that just fits, a larger model tests better again.":
        "Belkin y otros 2019, Nakkiran y otros 2020: pasado el tamaño que apenas ajusta, un modelo mayor vuelve a mejorar.",
    "The old picture of a U is only half of it. As a model grows, test error falls, rises up to where the training set is just fitted, and falls again. Large networks live beyond that peak. We have no numbers of ours here.":
        "La vieja imagen de una U es solo la mitad. Al crecer el modelo, el error de prueba baja, sube hasta donde apenas se ajusta el entrenamiento, y baja otra vez. Las redes grandes están más allá de ese pico. Aquí no tenemos números propios.",
    "The old picture of a U is only half of it. As a model grows, test error may rise up to where the training set is just fitted, and fall again. Ours is {first} at {a:,}, {top} at {b:,} and {last} at {c:,}. Large networks live beyond the peak.":
        "La vieja imagen de una U es solo la mitad. Al crecer el modelo, el error de prueba puede subir hasta donde apenas se ajusta el entrenamiento, y bajar otra vez. El nuestro es {first} con {a:,}, {top} con {b:,} y {last} con {c:,}. Las redes grandes están más allá del pico.",
    "Ours: {first} at {a:,}, {top} at {b:,}, {last} at {c:,}.":
        "Lo nuestro: {first} con {a:,}, {top} con {b:,}, {last} con {c:,}.",
    "Label noise {noise:g}.": "Ruido en las etiquetas {noise:g}.",
    "Error against size": "Error según el tamaño",
    "random features": "características al azar",
    "Critique": "Crítica",
    "It shows what does not explain generalization; what does, it leaves open.":
        "Muestra qué no explica la generalización; qué la explica queda abierto.",
    "Numbers stand without an error or a number of seeds; batch size and “time to fit” are not said.":
        "Los números no traen error ni cuántas semillas; no se dice el tamaño de lote ni qué es «tiempo hasta ajustar».",
    "Figure 1c is probably on corrupted test labels: its curve fits that.":
        "La Figura 1c quizá usa etiquetas de prueba corrompidas: su curva cuadra con eso.",
    "Worst-case measures fail here; measures that look at data and weights, such as margins and PAC-Bayes, are not ruled out.":
        "Fallan las medidas del peor caso; no se excluyen las que miran datos y pesos, como los márgenes y PAC-Bayes.",
    "Ours: where data are small and one seed is trained, differences of a point say little.":
        "Lo nuestro: con pocos datos y una semilla, un punto de diferencia dice poco.",
    "A fair critique. The paper shows what does not explain generalization, and leaves open what does. Its tables have no intervals. Worst-case bounds fail, but measures that look at the data, such as margins, are not ruled out. And our own runs are small: take their last digit with care. Thank you.":
        "Una crítica justa. El artículo muestra qué no explica la generalización, y deja abierto qué la explica. Sus tablas no tienen intervalos. Fallan las cotas del peor caso, pero no se excluyen las medidas que miran los datos, como los márgenes. Y lo nuestro es pequeño: su última cifra, con cuidado. Gracias.",
}  # fmt: skip
