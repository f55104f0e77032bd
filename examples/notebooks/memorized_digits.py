"""The source of the notebook memorized_digits: `python tests/test_notebooks.py` writes it."""

# %% [markdown] en
# # Which digits are memorized?
#
# A network that is right on an example may have learned a pattern that others share, or just this
# example. Feldman and Zhang (2020) tell the two apart: train many networks, each on another part of
# the data. The **memorization score** of an example is how much more often networks are right
# on it that were trained on it than networks that were not.
#
# You will score 1,000 digits by 40 networks, each of which has seen 700 of them. A tenth of the
# labels is drawn anew at random, so that some of what there is to memorize is known.
#
# *Data: 1,000 digits of mnist5k, which comes with the package; MLP with 128 hidden units; seed 0.*
# %% [markdown] es
# # ¿Qué dígitos se memorizan?
#
# Una red que acierta en un ejemplo puede haber aprendido un patrón que otros comparten, o solo este
# ejemplo. Feldman y Zhang (2020) los distinguen así: se entrenan muchas redes, cada una con otra parte
# de los datos. El **puntaje de memorización** de un ejemplo es cuánto más a menudo aciertan en él las redes que se
# entrenaron con él que las que no.
#
# Aquí reciben un puntaje 1,000 dígitos de 40 redes, cada una de las cuales ha visto 700. Una décima parte de las
# etiquetas se saca de nuevo al azar, para que se conozca algo de lo que hay que memorizar.
#
# *Datos: 1,000 dígitos de mnist5k, que viene con el paquete; MLP con 128 unidades ocultas; semilla 0.*
# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console

import rethinking_jax as rj

images = np.asarray(rj.load_dataset("mnist5k").train.images)


def score(**changes):
    """[[Trains the networks; returns what is known of each digit.|Entrena las redes y da los puntajes.]]"""
    config = rj.load_config("memorization:runs=40,thresholds=0,learner=network")
    config.train_examples, config.seed = 1000, 0
    config.sweep = [{"corruption": "partially_corrupted_labels", "label_noise": 0.1} | changes]
    workdir = tempfile.mkdtemp()
    rj.run(config, workdir, report=False, console=Console(quiet=True))
    return dict(np.load(f"{workdir}/scores.npz"))


# %% [markdown] en
# **Predict**: the mean score of digits whose label is wrong, and of those whose label is right. A score of 1 means
# that only networks that were trained on the digit give it its label, 0 that the others do so as often.
# %% [markdown] es
# **Predicción**: el puntaje medio de los dígitos cuya etiqueta está mal, y el de aquellos cuya etiqueta está
# bien. Un 1 quiere decir que solo las redes entrenadas con el dígito le dan su etiqueta, un 0 que las otras se la
# dan igual de a menudo.
# %%
prediction = {"[[wrong label|etiqueta mala]]": 0.5, "[[right label|etiqueta buena]]": 0.5}

scores = score()
wrong = scores["label"] != scores["true_label"]
memorized = scores["in"] - scores["out"]  # [[the definition|la definición]]
measured = [memorized[wrong].mean(), memorized[~wrong].mean()]
for (name, guess), mean in zip(prediction.items(), measured, strict=True):
    print(f"{name:15} [[predicted|predicho]] {guess}, [[measured|medido]] {mean:.2f}")
print("[[wrong labels|etiquetas malas]]:", wrong.sum())

fig, axis = plt.subplots(figsize=(6, 3.5))
axis.hist([memorized[wrong], memorized[~wrong]], bins=12, label=list(prediction))
axis.legend()
axis.set(yscale="log", xlabel="[[memorization|memorización]]", ylabel="[[digits|dígitos]]")
plt.show()
# %% [markdown] en
# Networks are right on all that they are trained on, wrong labels included. A wrong label is given
# to a digit only by those that have seen it: it can be had by heart and in no other way. Of
# the digits with right labels most score 0, and a few score as high as wrong ones do.
#
# ## Look at them
#
# Above, ten digits with right labels of the highest scores; below, ten of score 0. The title is the
# label.
#
# **Predict**: what will the upper row look like?
# %% [markdown] es
# Las redes aciertan en todo aquello con lo que se entrenan, también en las etiquetas malas. A un dígito solo le dan su
# etiqueta mala las que lo han visto: se puede saber de memoria y de ninguna otra manera. De los dígitos con etiqueta
# buena casi todos tienen 0, y unos pocos tanto como los que la tienen mala.
#
# ## Mirarlos
#
# Arriba, diez dígitos con etiqueta buena de los puntajes más altos; abajo, diez de puntaje 0. El título es
# la etiqueta.
#
# **Predicción**: ¿cómo se verá la fila de arriba?
# %%
order = np.argsort(-memorized, kind="stable")
right = order[~wrong[order]]
fig, axes = plt.subplots(2, 10, figsize=(10, 2.8))
for row, chosen in zip(axes, (right[:10], right[-10:]), strict=True):
    for axis, place in zip(row, chosen, strict=True):
        axis.imshow(images[scores["id"][place]][..., 0], cmap="gray_r")
        axis.set_title(f"{scores['label'][place]} ({memorized[place]:.1f})", fontsize=9)
        axis.set(xticks=[], yticks=[])
# %% [markdown] en
# The upper row is written in ways that few others share: nothing but the digit itself says what it is. Feldman (2020)
# calls that the long tail, and argues that who wants to be right on rare digits of the test set has to
# memorize rare ones in training.
#
# ## Finding wrong labels
#
# Take as many digits as there are wrong labels, those of the highest scores.
#
# **Predict**: what share of them has a wrong label?
# %% [markdown] es
# Los de arriba están escritos como pocos otros: nada más que el dígito mismo dice qué es. Feldman (2020) llama a eso
# la cola larga, y sostiene que quien quiera acertar en los dígitos raros de la prueba tiene que memorizar los raros del
# entrenamiento.
#
# ## Encontrar etiquetas malas
#
# Se toman tantos dígitos como etiquetas malas hay, los de los puntajes más altos.
#
# **Predicción**: ¿qué proporción de ellos tiene una etiqueta mala?
# %%
prediction = 0.5
found = wrong[order[: wrong.sum()]].mean()
print(f"[[predicted|predicho]] {prediction}, [[measured|medido]] {found:.2f}")
# %% [markdown] en
# ## Exercises
#
# Predict before you run. The numbers in the answers are of seed 0 on a CPU.
#
# **1.** Leave the labels as they are: `clean = score(corruption="true_labels", label_noise=0.0)`. What is the mean score,
# and how many digits reach 0.25?
#
# <details><summary>Answer</summary>
#
# 0.11, and 16 % of the digits reach 0.25. Nothing is wrong with their labels, and still they
# are memorized.
#
# </details>
#
# **2.** The mean score is how much more accurate networks are on what they train on than on the rest, which is
# about the difference of training and test accuracy. With all 4,000 digits and 400 networks it is 0.06.
# Why is it smaller than with 1,000?
#
# <details><summary>Answer</summary>
#
# Among four times as many digits more have a companion that is written alike, and what has a companion need not be
# memorized: of two copies of a digit neither would be. Test accuracy rises for the same reason.
#
# </details>
#
# **3.** Is the score of a single digit exact? `scores["error"]` has its standard error. How far may a score of 0.5 be off?
#
# <details><summary>Answer</summary>
#
# About 12 of the 40 networks have not seen a given digit. A share of 0.5 among 12 has a standard error of
# √(0.5 · 0.5 / 12) = 0.14. The mean over all digits is far more exact; for single ones take more networks
# (`runs=400`).
#
# </details>
#
# **4.** Would it be good to leave out what is memorized?
#
# <details><summary>Answer</summary>
#
# With wrong labels it is, without them it is not: with 4,000 digits and a tenth of the labels redrawn networks test
# better without the most memorized ones than without as many random ones, and with true labels a little
# worse. `python -m rethinking_jax.main --config=memorization` measures both; its page in the documentation
# has the numbers.
#
# </details>
# %% [markdown] es
# ## Ejercicios
#
# Primero se predice y luego se ejecuta. Los números de las respuestas son de la semilla 0 en un CPU.
#
# **1.** Dejar las etiquetas como son: `clean = score(corruption="true_labels", label_noise=0.0)`. ¿Cuál es el puntaje
# medio, y cuántos dígitos alcanzan 0.25?
#
# <details><summary>Respuesta</summary>
#
# 0.11, y 16 % de los dígitos alcanza 0.25. Sus etiquetas no tienen nada de malo, y aun así se memorizan.
#
# </details>
#
# **2.** El puntaje medio es cuánto más exactas son las redes en aquello con lo que se entrenan que en el resto, que
# es más o menos la diferencia entre exactitud de entrenamiento y de prueba. Con los 4,000 dígitos y 400 redes es 0.06.
# ¿Por qué es menor que con 1,000?
#
# <details><summary>Respuesta</summary>
#
# Entre cuatro veces más dígitos son más los que tienen un compañero escrito igual, y lo que tiene compañero no hay que
# memorizarlo: de dos copias de un dígito no se memorizaría ninguna. La exactitud de prueba sube por lo mismo.
#
# </details>
#
# **3.** ¿Es exacto el puntaje de un solo dígito? `scores["error"]` tiene su error estándar. ¿Qué tan lejos puede estar
# un 0.5?
#
# <details><summary>Respuesta</summary>
#
# Unas 12 de las 40 redes no han visto un dígito dado. Una proporción de 0.5 entre 12 tiene un error estándar de
# √(0.5 · 0.5 / 12) = 0.14. La media sobre todos los dígitos es mucho más exacta; para uno solo hacen falta más redes
# (`runs=400`).
#
# </details>
#
# **4.** ¿Convendría quitar lo que se memoriza?
#
# <details><summary>Respuesta</summary>
#
# Con etiquetas malas sí, sin ellas no: con 4,000 dígitos y una décima parte de las etiquetas sacada de nuevo las redes
# salen mejor en la prueba sin los más memorizados que sin otros tantos al azar, y con etiquetas verdaderas un poco peor.
# `python -m rethinking_jax.main --config=memorization` mide ambas cosas; su página en la documentación tiene los
# números.
#
# </details>
