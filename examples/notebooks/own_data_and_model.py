"""The source of the notebook own_data_and_model: `python tests/test_notebooks.py` writes it."""

# %% [markdown] en
# # Your own data, your own model
#
# `rj.run` trains any network on any images: you give it arrays of NumPy and a class of Flax. Here you
# make both, and ask a question with them: of two networks that fit the same data, which
# one generalizes?
#
# *Data: 600 training and 1,000 test images that are drawn in the next cell; seed 0.*
# %% [markdown] es
# # Datos propios, modelo propio
#
# `rj.run` entrena cualquier red con cualquier conjunto de imágenes: se le dan arreglos de NumPy y una
# clase de Flax. Aquí se hacen ambos, y con ellos se responde una pregunta: de dos redes que ajustan los
# mismos datos, ¿cuál generaliza?
#
# *Datos: 600 imágenes de entrenamiento y 1,000 de prueba que se dibujan en la celda que sigue;
# semilla 0.*
# %%
import tempfile

import flax.linen as nn
import matplotlib.pyplot as plt
import numpy as np

import rethinking_jax as rj

CLASSES = ("[[lying|acostada]]", "[[upright|parada]]", "[[falling|bajando]]", "[[rising|subiendo]]")
rng = np.random.default_rng(0)


def bars(count):
    """[[Draws a bright bar on noise, somewhere in each image.|Dibuja barras claras sobre ruido.]]"""
    labels = rng.integers(0, 4, count)
    images = rng.normal(100, 60, (count, 12, 12))
    for image, label in zip(images, labels, strict=True):
        place = rng.integers(2, 10)
        bar = np.zeros((12, 12))
        if label == 0:
            bar[place] = 1
        elif label == 1:
            bar[:, place] = 1
        else:
            bar = np.eye(12, k=place - 6)[:: 1 if label == 2 else -1]
        image += 100 * bar
    return np.clip(images, 0, 255).astype(np.uint8), labels


test = bars(1000)
data = rj.arrays(*bars(600), *test, class_names=CLASSES)

fig, axes = plt.subplots(1, 8, figsize=(10, 1.7))
for place, axis in enumerate(axes):
    axis.imshow(data.train.images[place], cmap="gray", vmin=0, vmax=255)
    axis.set(title=CLASSES[data.train.labels[place]], xticks=[], yticks=[])
# %% [markdown] en
# ## Two networks
#
# A network is a class with `num_classes`, and `convolutional` says whether it is one. The first has a
# weight for every pixel and unit. The second slides 16 filters of 5 x 5 pixels over the image and keeps
# how well each of them matches at its best place.
# %% [markdown] es
# ## Dos redes
#
# Una red es una clase con `num_classes`, y `convolutional` dice si es convolucional. La primera tiene un peso
# para cada pixel y unidad. La segunda desliza 16 filtros de 5 x 5 pixeles sobre la imagen y guarda qué tan bien
# encaja cada uno en su mejor lugar.


# %%
class Dense(nn.Module):
    """[[One hidden layer.|Una capa oculta.]]"""

    num_classes: int
    width: int = 256
    convolutional = False

    @nn.compact
    def __call__(self, x, *, train):
        x = nn.relu(nn.Dense(self.width)(x.reshape(len(x), -1)))
        return nn.Dense(self.num_classes)(x)


class Filters(nn.Module):
    """[[One layer of filters, the maximum over all places.|Filtros, el máximo sobre los lugares.]]"""

    num_classes: int
    channels: int = 16
    convolutional = True

    @nn.compact
    def __call__(self, x, *, train):
        x = nn.relu(nn.Conv(self.channels, (5, 5))(x)).max((1, 2))
        return nn.Dense(self.num_classes)(x)


# %% [markdown] en
# **Predict** for both networks, on true labels and on random ones: training and test accuracy. A guesser has
# 0.25. Which one fits random labels, which one generalizes on true ones? The first has 38,148 weights, the
# second 484.
# %% [markdown] es
# **Predicción** para ambas redes, con etiquetas verdaderas y al azar: exactitud de entrenamiento y de prueba.
# Quien adivina tiene 0.25. ¿Cuál ajusta etiquetas al azar, cuál generaliza con las verdaderas? La primera tiene
# 38,148 pesos, la segunda 484.
# %%
# [[(training, test) on true labels, then on random ones|(entrenamiento, prueba), verdaderas y al azar]]
prediction = {Dense: ((1.0, 0.9), (1.0, 0.25)), Filters: ((0.9, 0.7), (0.5, 0.25))}


def train(model, data=data, **changes):
    """[[Trains on true and on random labels, and returns the runs.|Entrena, y devuelve cada entrenamiento.]]"""
    config = rj.base_config()
    config.crop_size, config.seed = 0, 0
    config.batch_size, config.epochs, config.learning_rate = 50, 100, 0.05
    config.sweep = [{"corruption": name} for name in ("true_labels", "random_labels")]
    config.update(changes)
    workdir = tempfile.mkdtemp()
    rj.run(config, workdir, dataset=data, model=model, report=False)
    return rj.load(workdir)


runs = {model: train(model) for model in prediction}
# %%
measured = {}
for model, expected in prediction.items():
    for run, guess in zip(runs[model], expected, strict=True):
        found = run.summary["train_accuracy"], run.summary["test_accuracy"]
        measured[model.__name__, run.name] = found
        shown = tuple(round(number, 2) for number in found)
        print(
            f"{model.__name__:8} {run.name:14} [[predicted|predicho]] {guess} [[measured|medido]] {shown}"
        )
# %% [markdown] en
# Both fit the true labels, and the large network in fewer epochs. But on new images it is right in little
# more than half of the cases and the small one in more than nine of ten: the small one knows from the start that a bar may lie anywhere,
# and the large one would have to see each place by itself. That is no difference that a training error shows.
#
# With random labels it is the other way round: 38,148 weights hold 600 labels after a few epochs, 484 weights four
# fifths of them after a hundred.
#
# ## What do the filters look for?
# %% [markdown] es
# Ambas ajustan las etiquetas verdaderas, y la red grande en menos épocas. Pero con imágenes nuevas acierta en poco
# más de la mitad y la chica en más de nueve de cada diez: la chica sabe desde el principio que una barra puede estar en cualquier lugar, y la
# grande tendría que ver cada lugar por separado. Esa diferencia no la muestra ningún error de entrenamiento.
#
# Con etiquetas al azar es al revés: 38,148 pesos guardan 600 etiquetas tras unas pocas épocas, 484 pesos cuatro
# quintas partes de ellas tras cien.
#
# ## ¿Qué buscan los filtros?
# %%
fig, axes = plt.subplots(2, 16, figsize=(10, 1.8))
for row, run in zip(axes, runs[Filters], strict=True):
    filters = run.params["Conv_0"]["kernel"]  # [5, 5, 1, 16]
    for place, axis in enumerate(row):
        axis.imshow(filters[:, :, 0, place], cmap="gray")
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(run.name.replace("_", "\n"), rotation=0, ha="right", va="center")
# %% [markdown] en
# ## Exercises
#
# Predict before you run. The numbers in the answers are of seed 0 on a CPU.
#
# **1.** Shuffle the pixels of all images alike: `train(Dense, sweep=[{"corruption": "shuffled_pixels"}])`, and
# the same with `Filters`. What becomes of the test accuracy of each?
#
# <details><summary>Answer</summary>
#
# `Dense` has 0.55 as before: it never knew which pixels are neighbours. `Filters` falls from 0.97 to
# 0.29, and does not even fit its training set any more (0.81). What helped it was right of these images, not of
# all.
#
# </details>
#
# **2.** Give the large network ten times as many images:
# `train(Dense, data=rj.arrays(*bars(6000), *test))`. And the small network more filters, by
# `functools.partial(Filters, channels=64)`.
#
# <details><summary>Answer</summary>
#
# With 6,000 images the large network tests at 0.96: data take the place of knowing that the bar may lie
# anywhere. With 64 filters, 1,924 weights, the small one has 0.96 in test as before,
# and now fits all but two of the 600 random labels in 100 epochs.
#
# </details>
#
# **3.** `rj.run(..., measure=function)` keeps numbers of your own in every epoch. Measure the norm of all
# weights. On which labels does it grow more?
#
# <details><summary>Answer</summary>
#
# ```python
# def norm(run, variables, apply):
#     leaves = jax.tree.leaves(variables["params"])
#     return {"norm": float(np.sqrt(sum(np.sum(leaf**2) for leaf in leaves)))}
# ```
#
# With `Filters` it ends at 7.0 on true labels and 8.4 on random ones, from 4.0 and 3.6 after the first
# epoch.
#
# </details>
#
# **4.** Put images of your own in: two arrays of uint8 images and whole numbers from 0 on, for training and for
# test. What does your network do with random labels?
#
# <details><summary>Answer</summary>
#
# If it has many more weights than you have images, expect it to fit them. If it does not, look at its training loss
# over the epochs: does it still fall? A smaller learning rate, or more epochs, may be all that is missing.
#
# </details>
# %% [markdown] es
# ## Ejercicios
#
# Primero se predice y luego se ejecuta. Los números de las respuestas son de la semilla 0 en un CPU.
#
# **1.** Barajar los pixeles de todas las imágenes igual: `train(Dense, sweep=[{"corruption": "shuffled_pixels"}])`, y lo
# mismo con `Filters`. ¿Qué pasa con la exactitud de prueba de cada una?
#
# <details><summary>Respuesta</summary>
#
# `Dense` tiene 0.55 como antes: nunca supo qué pixeles son vecinos. `Filters` cae de 0.97 a 0.29, y ni
# siquiera ajusta ya su conjunto de entrenamiento (0.81). Lo que le ayudaba era cierto de estas imágenes, no de
# todas.
#
# </details>
#
# **2.** Dar a la red grande diez veces más imágenes: `train(Dense, data=rj.arrays(*bars(6000), *test))`. Y a la
# red chica más filtros, con `functools.partial(Filters, channels=64)`.
#
# <details><summary>Respuesta</summary>
#
# Con 6,000 imágenes la red grande tiene 0.96 en la prueba: los datos toman el lugar de saber que la barra puede estar
# en cualquier lado. Con 64 filtros, 1,924 pesos, la chica tiene 0.96 en la prueba como antes, y ahora ajusta
# todas menos dos de las 600 etiquetas al azar en 100 épocas.
#
# </details>
#
# **3.** `rj.run(..., measure=function)` guarda números propios en cada época. Medir la norma de todos los pesos.
# ¿Con qué etiquetas crece más?
#
# <details><summary>Respuesta</summary>
#
# ```python
# def norm(run, variables, apply):
#     leaves = jax.tree.leaves(variables["params"])
#     return {"norm": float(np.sqrt(sum(np.sum(leaf**2) for leaf in leaves)))}
# ```
#
# Con `Filters` termina en 7.0 con etiquetas verdaderas y en 8.4 al azar, desde 4.0 y 3.6 tras la primera época.
#
# </details>
#
# **4.** Poner imágenes propias: dos arreglos de imágenes uint8 y de números enteros desde 0, para entrenamiento y
# para prueba. ¿Qué hace la red con etiquetas al azar?
#
# <details><summary>Respuesta</summary>
#
# Si tiene muchos más pesos que imágenes hay, es de esperar que las ajuste. Si no, hay que mirar su pérdida de
# entrenamiento a lo largo de las épocas: ¿sigue bajando? Tal vez solo falte una tasa de aprendizaje más chica, o
# más épocas.
#
# </details>
