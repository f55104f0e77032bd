"""The source of the notebook quickstart: `python tests/test_notebooks.py` writes it."""

# %% [markdown] en
# # What does a network memorize?
#
# Zhang et al. (2017), *Understanding deep learning requires rethinking generalization*, trained
# networks on images whose labels were drawn at random. There is nothing to be learned from such
# labels. What will a network do that has far more weights than there are images?
#
# You will train one network twice: on 1,000 handwritten digits with their true labels, and on the
# same digits with random ones. All of it takes half a minute on a laptop.
#
# *Data: mnist5k, 4,000 training and 1,000 test digits of MNIST that come with the package; seed 0.*
# %% [markdown] es
# # ¿Qué memoriza una red?
#
# Zhang et al. (2017), *Understanding deep learning requires rethinking generalization*, entrenaron
# redes con imágenes cuyas etiquetas se sacaron al azar. De esas etiquetas no hay nada que aprender.
# ¿Qué hará una red que tiene muchos más pesos que imágenes?
#
# Aquí se entrena una misma red dos veces: con 1,000 dígitos escritos a mano y sus etiquetas
# verdaderas, y con los mismos dígitos y etiquetas al azar. Todo tarda medio minuto en una laptop.
#
# *Datos: mnist5k, 4,000 dígitos de entrenamiento y 1,000 de prueba de MNIST que vienen con el
# paquete; semilla 0.*
# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np

import rethinking_jax as rj

digits = rj.load_dataset("mnist5k")
images = np.asarray(digits.train.images)
fig, axes = plt.subplots(1, 10, figsize=(10, 1.4))
for label, axis in enumerate(axes):
    first = np.flatnonzero(digits.train.labels == label)[0]
    axis.imshow(images[first][..., 0], cmap="gray_r")
    axis.set(title=label, xticks=[], yticks=[])
# %% [markdown] en
# ## Predict first
#
# The network has one hidden layer of 512 units: 407,050 weights for 1,000 digits. There are ten
# classes, so whoever guesses is right one time in ten.
#
# **Predict** the accuracy on the training digits, whose labels the network is shown, and on the 1,000
# test digits, which it never sees. Write your numbers into the next cell before you go on.
# %% [markdown] es
# ## Primero se predice
#
# La red tiene una capa oculta de 512 unidades: 407,050 pesos para 1,000 dígitos. Hay diez clases,
# así que quien adivina acierta una vez de cada diez.
#
# **Predicción**: ¿cuál será la exactitud en los dígitos de entrenamiento, cuyas etiquetas se le
# muestran a la red, y cuál en los 1,000 dígitos de prueba, que nunca ve? Hay que escribir los números
# en la celda que sigue antes de continuar.
# %%
# [[Your prediction: (training accuracy, test accuracy).|Exactitud (de entrenamiento, de prueba).]]
prediction = {"true_labels": (0.95, 0.90), "random_labels": (0.30, 0.10)}
# %% [markdown] en
# ## Train
#
# `base_config()` has all keys of an experiment; a few are changed. `sweep` lists what each run
# has of its own. A run ends once every training digit gets the label that it has there.
# %% [markdown] es
# ## Entrenar
#
# `base_config()` tiene todas las claves de un experimento; aquí se cambian unas pocas. `sweep` dice
# qué tiene cada entrenamiento de propio. Un entrenamiento termina en cuanto cada dígito de entrenamiento recibe
# la etiqueta que ahí tiene.


# %%
def train(**changes):
    """[[Trains, and returns the runs.|Entrena, y devuelve cada entrenamiento.]]"""
    config = rj.base_config()
    config.model, config.train_examples = "mlp_1x512", 1000
    config.batch_size, config.epochs, config.seed = 50, 100, 0
    config.update(changes)
    workdir = tempfile.mkdtemp()
    rj.run(config, workdir, report=False)
    return rj.load(workdir)


runs = train(sweep=[{"corruption": name} for name in prediction])
# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3.5), sharey=True)
names = ("[[true labels|etiquetas verdaderas]]", "[[random labels|etiquetas al azar]]")
for axis, name, run in zip(axes, names, runs, strict=True):
    epochs = [line["epoch"] for line in run.lines]
    for key, shown in (("train", "[[training|entrenamiento]]"), ("test", "[[test|prueba]]")):
        axis.plot(epochs, [line[f"{key}_accuracy"] for line in run.lines], label=shown)
    axis.set(title=name, xlabel="[[epoch|época]]", ylim=(0, 1.02))
axes[0].set_ylabel("[[accuracy|exactitud]]")
axes[1].legend(loc="center right")

measured = {}
for name, run in zip(prediction, runs, strict=True):
    measured[name] = run.summary["train_accuracy"], run.summary["test_accuracy"]
    print(
        f"{name:14} [[predicted|predicho]]", prediction[name], "[[measured|medido]]", measured[name]
    )
# %% [markdown] en
# Both runs end with a training accuracy of 1.0. The network takes labels that mean nothing as
# completely as true ones; it only needs a few times as many epochs. In test the two could not be
# further apart. So it is **not** the size of the network, nor that it fits its training set, that
# tells whether it generalizes: size and fit are the same in both.
#
# ## What has it memorized?
#
# Here are training digits with the random label that each has, and what the network answers.
# %% [markdown] es
# Los dos entrenamientos terminan con una exactitud de entrenamiento de 1.0. La red ajusta etiquetas que no
# significan nada tan completamente como las verdaderas; solo necesita unas cuantas veces más épocas.
# En la prueba no podrían ser más distintas. Así que **no** es el tamaño de la red, ni que ajuste su
# conjunto de entrenamiento, lo que dice si generaliza: tamaño y ajuste son iguales en ambas.
#
# ## ¿Qué ha memorizado?
#
# Estos son dígitos de entrenamiento con la etiqueta al azar que tiene cada uno, y lo que responde la
# red.
# %%
random_run = runs[1]
ids, labels = random_run.labels
answers = random_run.apply(images[ids]).argmax(-1)
fig, axes = plt.subplots(1, 10, figsize=(10, 2))
for place, axis in enumerate(axes):
    axis.imshow(images[ids[place]][..., 0], cmap="gray_r")
    title = f"[[label|etiqueta]] {labels[place]}\n[[answer|respuesta]] {answers[place]}"
    axis.set(xticks=[], yticks=[])
    axis.set_title(title, fontsize=9)

print("[[The answer is|La respuesta es]]")
print("  [[the random label|la etiqueta al azar]]:", np.mean(answers == labels))
print("  [[the true class|la clase verdadera]]:", np.mean(answers == digits.train.labels[ids]))
# %% [markdown] en
# ## Exercises
#
# Predict before you run, and change one thing at a time. The numbers in the answers are of seed 0
# on a CPU; yours may differ by a digit or two.
#
# **1. Some labels are wrong.** `train(corruption="partially_corrupted_labels", label_noise=0.4)` draws
# each label anew with probability 0.4. What are training and test accuracy in the end? At
# which epoch was the test accuracy best? (`run.summary` has `best_test_accuracy` and `best_epoch`.)
#
# <details><summary>Answer</summary>
#
# The network fits every label, the wrong ones among them, and ends at a test accuracy of 0.72. Its
# best was 0.80, after 4 epochs: what the digits have in common is learned first, and memorizing the
# wrong labels then costs 8 points. Whoever stops early keeps them.
#
# </details>
#
# **2. A smaller network.** `train(corruption="random_labels", model="mlp", hidden_sizes=(32,))` has 25,450
# weights, still 25 for each label. Does it fit? And with 128 units, and with 8?
#
# <details><summary>Answer</summary>
#
# After 100 epochs training accuracy is 0.99 with 128 units, 0.84 with 32 and 0.39 with 8. Weights enough
# to hold the labels need not be weights that SGD finds, in this many epochs and with a learning rate that
# falls by 5 % in each.
#
# </details>
#
# **3. Is 0.08 below chance?** The test accuracy after random labels may come out as 0.08. Does the
# network know something, that it avoids the true class? Try `seed=1`, and work out how far from 0.1
# a guesser may be on 1,000 digits.
#
# <details><summary>Answer</summary>
#
# The standard error of a share of 0.1 among 1,000 digits is √(0.1 · 0.9 / 1000) = 0.0095, so what
# lies from about 0.08 to 0.12 is chance. Seed 1 gives 0.10.
#
# </details>
#
# **4. What does that mean for theory?** A bound by Rademacher complexity asks how well a class of functions
# can fit random labels. What is the bound worth for this network?
#
# <details><summary>Answer</summary>
#
# It fits them all, so that the complexity is about 1 and the bound says that the test error is at most
# about 1: nothing. The same holds for any bound that looks at the network alone, and not at the data
# or at what training does. `python -m rethinking_jax.main --config=rademacher` measures it.
#
# </details>
# %% [markdown] es
# ## Ejercicios
#
# Primero se predice y luego se ejecuta, y se cambia una sola cosa cada vez. Los números de las
# respuestas son de la semilla 0 en un CPU; los propios pueden diferir un poco.
#
# **1. Algunas etiquetas están mal.** `train(corruption="partially_corrupted_labels", label_noise=0.4)` saca
# cada etiqueta de nuevo con probabilidad 0.4. ¿Cuáles son al final la exactitud de entrenamiento y la de
# prueba? ¿En qué época fue mejor la de prueba? (`run.summary` tiene `best_test_accuracy` y `best_epoch`.)
#
# <details><summary>Respuesta</summary>
#
# La red ajusta todas las etiquetas, también las que están mal, y termina con una exactitud de prueba de 0.72.
# La mejor fue 0.80, tras 4 épocas: primero se aprende lo que los dígitos tienen en común, y memorizar
# después las etiquetas malas cuesta 8 puntos. Con parada temprana se conservan.
#
# </details>
#
# **2. Una red más chica.** `train(corruption="random_labels", model="mlp", hidden_sizes=(32,))` tiene 25,450
# pesos, todavía 25 por etiqueta. ¿Ajusta? ¿Y con 128 unidades, y con 8?
#
# <details><summary>Respuesta</summary>
#
# Tras 100 épocas la exactitud de entrenamiento es 0.99 con 128 unidades, 0.84 con 32 y 0.39 con 8. Que los
# pesos alcancen para guardar las etiquetas no quiere decir que SGD los encuentre, en tantas épocas y con una
# tasa de aprendizaje que baja 5 % en cada una.
#
# </details>
#
# **3. ¿Es 0.08 menos que el azar?** La exactitud de prueba tras etiquetas al azar puede salir como 0.08.
# ¿Sabe algo la red, puesto que evita la clase verdadera? Conviene probar `seed=1`, y calcular qué tan lejos
# de 0.1 puede quedar quien adivina 1,000 dígitos.
#
# <details><summary>Respuesta</summary>
#
# El error estándar de una proporción de 0.1 entre 1,000 dígitos es √(0.1 · 0.9 / 1000) = 0.0095, así que
# lo que cae entre 0.08 y 0.12, más o menos, es azar. La semilla 1 da 0.10.
#
# </details>
#
# **4. ¿Qué significa para la teoría?** Una cota por complejidad de Rademacher pregunta qué tan bien una clase
# de funciones puede ajustar etiquetas al azar. ¿Cuánto vale la cota para esta red?
#
# <details><summary>Respuesta</summary>
#
# Las ajusta todas, así que la complejidad es cerca de 1 y la cota dice que el error de prueba es a lo más
# cerca de 1: nada. Lo mismo vale para cualquier cota que mire solo la red, y no los datos ni lo que hace el
# entrenamiento. `python -m rethinking_jax.main --config=rademacher` la mide.
#
# </details>
