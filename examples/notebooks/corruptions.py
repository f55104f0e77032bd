"""The source of the notebook corruptions: `python tests/test_notebooks.py` writes it."""

# %% [markdown] en
# # What is corrupted, and how
#
# The experiments of Zhang et al. (2017) change a data set in six ways, and train the same network on
# each. Two ways change labels, three change pixels, and one changes nothing. Here nothing is trained:
# you will look at what each leaves of the data, and count.
#
# *Data: mnist5k, 4,000 training and 1,000 test digits of MNIST that come with the package; seed 0.*
# %% [markdown] es
# # Qué se corrompe, y cómo
#
# Los experimentos de Zhang et al. (2017) cambian un conjunto de datos de seis maneras, y entrenan la
# misma red con cada una. Dos cambian etiquetas, tres cambian pixeles, y una no cambia nada. Aquí no se
# entrena: se mira qué deja cada una de los datos, y se cuenta.
#
# *Datos: mnist5k, 4,000 dígitos de entrenamiento y 1,000 de prueba de MNIST que vienen con el paquete;
# semilla 0.*
# %%
import matplotlib.pyplot as plt
import numpy as np

import rethinking_jax as rj
from rethinking_jax.corruption import SETTINGS, corrupt
from rethinking_jax.data.runs import cropped

# [[All 28 x 28 pixels; their mean and variance are measured.|Todos los pixeles, medidos.]]
digits = cropped(rj.load_dataset("mnist5k"), 28)


def draws(corruption, **changes):
    """[[Returns what a run with this corruption draws.|Devuelve lo que un entrenamiento saca al azar.]]"""
    config = rj.base_config()
    config.corruption, config.seed = corruption, 0
    config.update(changes)
    return corrupt(config, digits)


def images_of(drawn, split="train"):
    """[[Float images from 0 to 1; noise may leave that range.|Imágenes de 0 a 1, salvo el ruido.]]"""
    part = getattr(digits, split)
    images = np.asarray(drawn.images(split, part.ids, np.asarray(part.images)))
    return images / 255 if images.dtype == np.uint8 else images


def labels_of(drawn):
    """[[The training labels of a run.|Las etiquetas de un entrenamiento.]]"""
    return np.asarray(drawn.labels("train", digits.train.ids, digits.train.labels))


for name in SETTINGS:
    print(f"{name:27} {rj.CORRUPTIONS[name].doc}")
# %% [markdown] en
# ## Look
#
# A row for each setting, the same ten digits in each. A label is red where it is not the true one.
#
# **Predict** before you run it: in which rows could *you* still tell that two images are of the same
# class?
# %% [markdown] es
# ## Mirar
#
# Una fila por cada manera, en cada una los mismos diez dígitos. Una etiqueta es roja donde no es la
# verdadera.
#
# **Predicción**, antes de ejecutar: ¿en qué filas podría todavía distinguir *una persona* que dos
# imágenes son de la misma clase?
# %%
shown = [np.flatnonzero(digits.train.labels == label)[3] for label in range(10)]
fig, axes = plt.subplots(len(SETTINGS), 10, figsize=(10, 7.6), layout="constrained")
for row, name in zip(axes, SETTINGS, strict=True):
    drawn = draws(name)
    pixels, labels = images_of(drawn), labels_of(drawn)
    for axis, place in zip(row, shown, strict=True):
        axis.imshow(pixels[place][..., 0], cmap="gray_r", vmin=0, vmax=1)
        is_true = labels[place] == digits.train.labels[place]
        axis.set_title(labels[place], color="black" if is_true else "red", fontsize=10)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name.replace("_", "\n"), rotation=0, ha="right", va="center")
# %% [markdown] en
# In the rows of shuffled pixels one and the same permutation is applied to all images. Two zeros are
# as alike as before, only not to your eye. With random pixels each image has a permutation of its own:
# what is left is how many dark pixels there are. Of Gaussian noise nothing is left at all.
#
# ## How many labels are wrong?
#
# `partially_corrupted_labels` draws each label anew with probability `label_noise`, from all ten classes.
#
# **Predict**: if every label is drawn anew, what share of them is wrong? And with `label_noise=0.5`?
# %% [markdown] es
# En la fila de pixeles barajados se aplica una misma permutación a todas las imágenes. Dos ceros se
# parecen tanto como antes, solo que no a la vista. Con pixeles al azar cada imagen tiene su propia
# permutación: lo que queda es cuántos pixeles oscuros hay. Del ruido gaussiano no queda nada.
#
# ## ¿Cuántas etiquetas están mal?
#
# `partially_corrupted_labels` saca cada etiqueta de nuevo con probabilidad `label_noise`, de las diez
# clases.
#
# **Predicción**: si todas las etiquetas se sacan de nuevo, ¿qué proporción está mal? ¿Y con
# `label_noise=0.5`?
# %%
# [[label_noise: the share of wrong labels|label_noise: la proporción de etiquetas malas]]
prediction = {1.0: 1.0, 0.5: 0.5}

levels = np.linspace(0, 1, 11)
wrong = {}
for level in levels:
    drawn = draws("partially_corrupted_labels", label_noise=float(level))
    wrong[float(level)] = float(np.mean(labels_of(drawn) != digits.train.labels))

fig, axis = plt.subplots(figsize=(5, 3.5))
axis.plot(levels, levels, ":", color="gray", label="label_noise")
axis.plot(levels, list(wrong.values()), "o-", label="[[measured|medido]]")
axis.plot(list(prediction), list(prediction.values()), "x", ms=10, label="[[predicted|predicho]]")
axis.set(xlabel="label_noise", ylabel="[[share of wrong labels|proporción de etiquetas malas]]")
axis.legend()
print(f"label_noise=1: {wrong[1.0]:.3f}, label_noise=0.5: {wrong[0.5]:.3f}")
# %% [markdown] en
# A label that is drawn anew hits the true class one time in ten. So "random labels" are wrong in 9 of 10
# cases, and label noise p means a share of 0.9 p wrong labels. That is the paper's definition; others
# count only those that really changed. Whoever compares numbers has to know which is meant.
#
# ## A draw belongs to an example
#
# A label depends on the seed and on the id of the example, and on nothing else: not on the order, the
# batch or the epoch. The network sees the same wrong label each time, or it could not memorize it.
#
# **Predict**: what share of the random labels of seed 0 and seed 1 agree?
# %% [markdown] es
# Una etiqueta que se saca de nuevo cae en la clase verdadera una vez de cada diez. Por eso las "etiquetas
# al azar" están mal en 9 de 10 casos, y ruido p significa una proporción de 0.9 p de etiquetas malas. Esa es
# la definición del artículo; otros cuentan solo las que de verdad cambiaron. Quien compara números tiene que
# saber de cuál se trata.
#
# ## El azar es de cada ejemplo
#
# Una etiqueta depende de la semilla y del número del ejemplo, y de nada más: ni del orden, ni del lote, ni de
# la época. La red ve cada vez la misma etiqueta mala, o no podría memorizarla.
#
# **Predicción**: ¿qué proporción de las etiquetas al azar de la semilla 0 y la semilla 1 coincide?
# %%
first, again, other = (labels_of(draws("random_labels", seed=seed)) for seed in (0, 0, 1))
some = digits.train.ids[:10]
alone = draws("random_labels").labels("train", some, digits.train.labels[:10])
print("[[the same seed|la misma semilla]]:", np.mean(first == again))
print("[[ten digits alone|diez dígitos solos]]:", np.mean(first[:10] == np.asarray(alone)))
print("[[another seed|otra semilla]]:", np.mean(first == other))
# %% [markdown] en
# ## What is left to learn?
#
# The simplest classifier there is: the mean image of each class, and a new image belongs to the
# nearest mean. It is fitted to the 4,000 training digits of each setting with true labels and tested on
# 1,000 others, which are corrupted alike.
#
# **Predict** its accuracy on true images (a guesser has 0.1), on shuffled pixels, random pixels, and noise.
# %% [markdown] es
# ## ¿Qué queda por aprender?
#
# El clasificador más sencillo que hay: la imagen media de cada clase, y una imagen nueva es de la media más
# cercana. Se ajusta a los 4,000 dígitos de entrenamiento de cada manera con etiquetas verdaderas, y se prueba
# con otros 1,000, corrompidos igual.
#
# **Predicción**: ¿cuál es su exactitud con imágenes verdaderas (quien adivina tiene 0.1), con pixeles
# barajados, con pixeles al azar y con ruido?
# %%
prediction = {"true_labels": 0.8, "shuffled_pixels": 0.5, "random_pixels": 0.1, "gaussian": 0.1}

accuracy, means = {}, {}
for name in prediction:
    drawn = draws(name)
    train, test = images_of(drawn), images_of(drawn, "test").reshape(1000, -1)
    means[name] = np.stack([train[digits.train.labels == label].mean(0) for label in range(10)])
    distances = ((test[:, None] - means[name].reshape(10, -1)) ** 2).sum(-1)
    accuracy[name] = float(np.mean(distances.argmin(1) == digits.test.labels))
    print(
        f"{name:16} [[predicted|predicho]]", prediction[name], "[[measured|medido]]", accuracy[name]
    )

fig, axes = plt.subplots(len(means), 10, figsize=(10, 4.2), layout="constrained")
for row, (name, each) in zip(axes, means.items(), strict=True):
    for axis, mean in zip(row, each, strict=True):
        axis.imshow(mean[..., 0], cmap="gray_r", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name.replace("_", "\n"), rotation=0, ha="right", va="center")
# %% [markdown] en
# Shuffled pixels cost this classifier nothing at all: distances between images do not change when
# all pixels move alike. An MLP does not know either which pixels are neighbours. Random pixels leave the
# amount of ink, which tells a 1 from a 0, and so more than chance.
#
# ## Exercises
#
# **1.** `pair_flip` turns labels into the next class. What share is wrong with `label_noise=0.4`, and why is
# it not 0.36?
#
# <details><summary>Answer</summary>
#
# `np.mean(labels_of(draws("pair_flip", label_noise=0.4)) != digits.train.labels)` is about 0.4: the
# next class is never the true one.
#
# </details>
#
# **2.** With `exclude_true_class=True` labels are drawn from the nine other classes. What share is wrong with
# `label_noise=0.5`?
#
# <details><summary>Answer</summary>
#
# About 0.5 (0.48 with seed 0: of 4,000 coins not exactly half show heads).
#
# </details>
#
# **3.** A convolutional network is trained on shuffled pixels. Will it generalize as well as on true images?
# And will it fit its training set?
#
# <details><summary>Answer</summary>
#
# It fits, as it fits everything else, in more steps (the paper's Figure 1a). Expect it to generalize worse:
# its filters look at neighbours, and neighbours mean nothing any more. For an MLP all of it stays the
# same.
#
# </details>
#
# **4.** Why does Gaussian noise have the mean and the variance of the real pixels?
#
# <details><summary>Answer</summary>
#
# So that nothing else differs: at another scale the same learning rate could be too large or too small, and
# one would not know what slowed the network down. Look: `images_of(draws("gaussian")).std()` is 0.31,
# that of the digits.
#
# </details>
# %% [markdown] es
# A este clasificador los pixeles barajados no le cuestan nada: las distancias entre imágenes no cambian cuando
# todos los pixeles se mueven igual. Tampoco un MLP sabe qué pixeles son vecinos. Los pixeles al azar dejan la
# cantidad de tinta, que distingue un 1 de un 0, y por eso más que el azar.
#
# ## Ejercicios
#
# **1.** `pair_flip` convierte etiquetas en la clase que sigue. ¿Qué proporción está mal con `label_noise=0.4`, y
# por qué no es 0.36?
#
# <details><summary>Respuesta</summary>
#
# `np.mean(labels_of(draws("pair_flip", label_noise=0.4)) != digits.train.labels)` es cerca de 0.4: la
# clase que sigue nunca es la verdadera.
#
# </details>
#
# **2.** Con `exclude_true_class=True` las etiquetas se sacan de las otras nueve clases. ¿Qué proporción está mal
# con `label_noise=0.5`?
#
# <details><summary>Respuesta</summary>
#
# Cerca de 0.5 (0.48 con la semilla 0: de 4,000 monedas no cae águila exactamente la mitad).
#
# </details>
#
# **3.** Una red convolucional se entrena con pixeles barajados. ¿Generaliza tan bien como con imágenes
# verdaderas? ¿Y ajusta su conjunto de entrenamiento?
#
# <details><summary>Respuesta</summary>
#
# Lo ajusta, como ajusta todo lo demás, en más pasos (Figura 1a del artículo). Es de esperar que generalice
# peor: sus filtros miran a los vecinos, y los vecinos ya no significan nada. Para un MLP todo queda igual.
#
# </details>
#
# **4.** ¿Por qué tiene el ruido gaussiano la media y la varianza de los pixeles reales?
#
# <details><summary>Respuesta</summary>
#
# Para que nada más cambie: a otra escala la misma tasa de aprendizaje podría ser demasiado grande o demasiado
# chica, y no se sabría qué frenó a la red. Se puede ver: `images_of(draws("gaussian")).std()` es 0.31, la de los
# dígitos.
#
# </details>
