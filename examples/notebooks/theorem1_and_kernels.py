"""The source of the notebook theorem1_and_kernels: `python tests/test_notebooks.py` writes it."""

# %% [markdown] en
# # Theorem 1, and kernels that fit noise
#
# How many weights does a network need to take *any* labels of n points? Theorem 1 of Zhang et al. (2017)
# says: two layers of ReLU and 2n + d weights are enough, where d is the dimension. You will build that
# network; nothing is trained. Then a kernel machine will fit the same random labels, and generalize
# on true ones. Both can take any labels, so that cannot be what decides.
#
# *Data: mnist5k, 4,000 training and 1,000 test digits of MNIST that come with the package; NumPy's
# generator with seed 0, and seed 1 for the direction a.*
# %% [markdown] es
# # El Teorema 1, y kernels que ajustan ruido
#
# ¿Cuántos pesos necesita una red para tomar *cualesquiera* etiquetas de n puntos? El Teorema 1 de Zhang et al. (2017)
# dice: bastan dos capas con ReLU y 2n + d pesos, donde d es la dimensión. Aquí se construye esa red; no se entrena
# nada. Después una máquina de kernel ajusta las mismas etiquetas al azar, y generaliza con las verdaderas.
# Ambas pueden tomar cualesquiera etiquetas, así que eso no puede ser lo que decide.
#
# *Datos: mnist5k, 4,000 dígitos de entrenamiento y 1,000 de prueba de MNIST que vienen con el paquete; generador de
# NumPy con semilla 0, y semilla 1 para la dirección a.*
# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import solve_triangular

import rethinking_jax as rj

digits = rj.load_dataset("mnist5k")
rng = np.random.default_rng(0)
order = rng.permutation(4000)  # [[they are sorted by class|están ordenados por clase]]
x = np.asarray(digits.train.images)[order].reshape(4000, -1) / 255
true_labels = digits.train.labels[order]
random_labels = rng.integers(0, 10, 4000)
x_test = np.asarray(digits.test.images).reshape(1000, -1) / 255
y_test = digits.test.labels
# %% [markdown] en
# ## The construction
#
# The network is $c(x) = \sum_j w_j \max(\langle a, x \rangle - b_j, 0)$. Draw $a$ at random, so that the numbers
# $z_i = \langle a, x_i \rangle$ are all different, and sort them. Put a threshold just in front of each:
# $b_1 < z_1 < b_2 < z_2 < \dots$ Then unit $j$ is silent on all points before the $j$-th, the matrix
# $A_{ij} = \max(z_i - b_j, 0)$ is triangular with a positive diagonal, and $A w = y$ has a solution
# for any $y$.
#
# **Predict**: which share of 1,000 random labels does the network return? And how many numbers are $a$, $b$ and $w$
# together? A digit has 784 pixels.
# %% [markdown] es
# ## La construcción
#
# La red es $c(x) = \sum_j w_j \max(\langle a, x \rangle - b_j, 0)$. Se saca $a$ al azar, para que los números
# $z_i = \langle a, x_i \rangle$ sean todos distintos, y se ordenan. Se pone un umbral justo delante de cada uno:
# $b_1 < z_1 < b_2 < z_2 < \dots$ Entonces la unidad $j$ calla en todos los puntos antes del $j$-ésimo, la matriz
# $A_{ij} = \max(z_i - b_j, 0)$ es triangular con diagonal positiva, y $A w = y$ tiene solución para
# cualquier $y$.
#
# **Predicción**: ¿qué proporción de 1,000 etiquetas al azar devuelve la red? ¿Y cuántos números son $a$, $b$ y $w$
# juntos? Un dígito tiene 784 pixeles.
# %%
prediction = {"[[share|proporción]]": 0.9, "[[weights|pesos]]": 1000}


def build(points, labels):
    """[[Returns a, b and w of the network that takes these labels.|Devuelve a, b y w de la red.]]"""
    a = np.random.default_rng(1).normal(size=points.shape[1])
    z = points @ a
    order = np.argsort(z)
    before = np.concatenate([[z[order[0]] - 1], z[order[:-1]]])
    b = before + 0.1 * (z[order] - before)
    matrix = np.maximum(z[order][:, None] - b, 0)
    return a, b, solve_triangular(matrix, labels[order].astype(float), lower=True)


def network(points, a, b, w, dtype="float64"):
    """[[Evaluates the network in a precision.|Evalúa la red con una precisión.]]"""
    points, a, b, w = (part.astype(dtype) for part in (points, a, b, w))
    return np.maximum((points @ a)[:, None] - b, 0) @ w


weights = build(x[:1000], random_labels[:1000])
count = sum(part.size for part in weights)
taken = np.mean(np.rint(network(x[:1000], *weights)) == random_labels[:1000])
print("[[predicted|predicho]]", prediction)
print(f"[[share|proporción]] {taken:.3f}, [[weights|pesos]] {count} = 2 · 1000 + 784")
# %% [markdown] en
# Every random label is taken, by construction. Now give it the **true** labels.
#
# **Predict** its accuracy on the 1,000 test digits (a guesser has 0.1).
# %% [markdown] es
# Toma todas las etiquetas al azar, por construcción. Ahora se le dan las **verdaderas**.
#
# **Predicción**: ¿cuál es su exactitud en los 1,000 dígitos de prueba (quien adivina tiene 0.1)?
# %%
prediction = 0.5

weights = build(x[:1000], true_labels[:1000])
theorem_test = np.mean(np.rint(network(x_test, *weights)) == y_test)
print(f"[[predicted|predicho]] {prediction}, [[measured|medido]] {theorem_test:.3f}")
# %% [markdown] en
# It has every true label by heart and knows nothing. The theorem says what a network **can** hold, not what
# training makes of it.
#
# ## Does it hold on a computer?
#
# The proof is about real numbers. Accelerators compute in float32, about 7 digits.
#
# **Predict**: up to how many points are all labels taken in float32, and in float64 (about 16 digits)?
# %% [markdown] es
# Se sabe todas las etiquetas verdaderas de memoria y no sabe nada. El teorema dice qué **puede** guardar una red, no
# qué hace de ella el entrenamiento.
#
# ## ¿Vale en una computadora?
#
# La demostración trata de números reales. Los aceleradores calculan en float32, unos 7 dígitos.
#
# **Predicción**: ¿hasta cuántos puntos se toman todas las etiquetas en float32, y en float64 (unos 16 dígitos)?
# %%
counts = (10, 30, 100, 300, 1000, 2000, 4000)
errors = {"float32": [], "float64": []}
for n in counts:
    weights = build(x[:n], random_labels[:n])
    for dtype, found in errors.items():
        found.append(np.abs(network(x[:n], *weights, dtype) - random_labels[:n]).max())

fig, axis = plt.subplots(figsize=(6, 3.5))
for dtype, found in errors.items():
    axis.loglog(counts, found, "o-", label=dtype)
axis.axhline(0.5, color="gray", ls=":", label="[[a label is lost|se pierde una etiqueta]]")
axis.legend()
axis.set(xlabel="[[points|puntos]]", ylabel="[[largest error|mayor error]]")
plt.show()
# %% [markdown] en
# Thresholds crowd together, and outgoing weights grow into the millions with changing signs: their sum keeps
# few digits. In float32 labels are lost from about 1,000 points on, in float64 none of 4,000. A network
# that is trained has no such trouble, for it does not put one unit in front of each point.
#
# ## A kernel machine takes them, too
#
# Section 5 of the paper solves $K \alpha = y$ with $K_{ij} = \exp(-\gamma \|x_i - x_j\|^2)$ and y the labels as one-hot
# vectors, without any regularizer. What comes out answers with the largest of ten numbers.
#
# **Predict** for true and random labels of 1,000 digits: training and test accuracy, and on which labels
# the norm $\sqrt{y^\top K^{-1} y}$ of the solution is the larger one.
# %% [markdown] es
# Los umbrales se amontonan, y los pesos de salida crecen a millones con signos que cambian: su suma conserva pocos
# dígitos. En float32 se pierden etiquetas a partir de unos 1,000 puntos, en float64 ninguna de 4,000. Una red entrenada
# no tiene ese problema, pues no pone una unidad delante de cada punto.
#
# ## Una máquina de kernel también las toma
#
# La sección 5 del artículo resuelve $K \alpha = y$ con $K_{ij} = \exp(-\gamma \|x_i - x_j\|^2)$ y y las etiquetas como
# vectores indicadores, sin ningún regularizador. Lo que sale responde con el mayor de diez números.
#
# **Predicción** para etiquetas verdaderas y al azar de 1,000 dígitos: exactitud de entrenamiento y de prueba, y con
# qué etiquetas es mayor la norma $\sqrt{y^\top K^{-1} y}$ de la solución.
# %%
prediction = {"true_labels": (1.0, 0.5), "random_labels": (0.5, 0.1)}


def kernel(one, other, gamma=0.0095):
    """[[Gaussian kernel; gamma is one over the median squared distance.|Kernel gaussiano.]]"""
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.exp(-gamma * squares)


def solve(labels, ridge=0.0, n=1000):
    """[[Returns training accuracy, test accuracy and norm.|Devuelve exactitudes y norma.]]"""
    targets, within = np.eye(10)[labels[:n]], kernel(x[:n], x[:n])
    alpha = np.linalg.solve(within + ridge * np.eye(n), targets)
    train = np.mean((within @ alpha).argmax(1) == labels[:n])
    test = np.mean((kernel(x_test, x[:n]) @ alpha).argmax(1) == y_test)
    return train, test, np.sqrt(np.sum(alpha * (within @ alpha)))


measured = {"true_labels": solve(true_labels), "random_labels": solve(random_labels)}
for name, (train, test, norm) in measured.items():
    print(f"{name:14} [[predicted|predicho]]", prediction[name], end=" ")
    print(f"[[measured|medido]] ({train:.3f}, {test:.3f}), [[norm|norma]] {norm:.0f}")
# %% [markdown] en
# The kernel machine fits random labels as completely as Theorem 1's network does, and on true labels it is right on 93 %
# of new digits, with no regularizer at all. Among all functions that fit, solving $K \alpha = y$ finds the one of least
# norm. That is a choice that the training error does not show, and here it is a good one.
#
# Random labels need a norm more than twice as large. Does the norm tell who generalizes, then? The
# paper warns: on another representation of the same images the norm was larger and the test error smaller.
#
# ## Exercises
#
# Predict before you run. The numbers in the answers are of the seeds above, on a CPU.
#
# **1.** Add a ridge: `solve(random_labels, ridge=1.0)`, and 0.01, 0.1, 10. From which ridge on are random labels no longer
# fitted?
#
# <details><summary>Answer</summary>
#
# All are fitted up to 0.01, all but one of 1,000 at 0.1, 0.93 at 1 and 0.49 at 10. With true labels a ridge of 1
# costs test accuracy: 0.89 in place of 0.93.
#
# </details>
#
# **2.** Make 40 % of the labels random: `noisy = np.where(rng.random(4000) < 0.4, random_labels, true_labels)`. Which
# ridge is best in test now?
#
# <details><summary>Answer</summary>
#
# Without a ridge every wrong label is fitted and the test accuracy is 0.68; with a ridge of 1 it is 0.85. With wrong
# labels a regularizer wins much, without them nothing.
#
# </details>
#
# **3.** Take all 4,000 digits: `solve(true_labels, n=4000)` and the same with random labels. How do the norms grow?
#
# <details><summary>Answer</summary>
#
# From 34 to 69 on true labels and from 90 to 285 on random ones: twice and three times as large with four
# times as many points. Test accuracy on true labels rises to 0.97.
#
# </details>
#
# **4.** In the proof the direction a is random. What goes wrong if two images are equal and have different labels?
#
# <details><summary>Answer</summary>
#
# Then $z_i = z_j$ for every a: the matrix has a zero on its diagonal, and no function at all takes both labels. The
# theorem is about different points.
#
# </details>
# %% [markdown] es
# La máquina de kernel ajusta etiquetas al azar tan completamente como la red del Teorema 1, y con las verdaderas acierta
# en 93 % de los dígitos nuevos, sin ningún regularizador. Entre todas las funciones que ajustan, resolver $K \alpha = y$
# encuentra la de norma mínima. Es una elección que el error de entrenamiento no muestra, y aquí es buena.
#
# Las etiquetas al azar necesitan una norma de más del doble. ¿Dice entonces la norma quién generaliza? El artículo
# advierte: con otra representación de las mismas imágenes la norma fue mayor y el error de prueba menor.
#
# ## Ejercicios
#
# Primero se predice y luego se ejecuta. Los números de las respuestas son de las semillas de arriba, en un CPU.
#
# **1.** Agregar un término ridge: `solve(random_labels, ridge=1.0)`, y 0.01, 0.1, 10. ¿A partir de cuál ya no se ajustan
# las etiquetas al azar?
#
# <details><summary>Respuesta</summary>
#
# Se ajustan todas hasta 0.01, todas menos una de 1,000 con 0.1, 0.93 con 1 y 0.49 con 10. Con etiquetas verdaderas un
# ridge de 1 cuesta exactitud de prueba: 0.89 en lugar de 0.93.
#
# </details>
#
# **2.** Hacer al azar 40 % de las etiquetas: `noisy = np.where(rng.random(4000) < 0.4, random_labels, true_labels)`. ¿Qué
# ridge es ahora el mejor en la prueba?
#
# <details><summary>Respuesta</summary>
#
# Sin ridge se ajusta cada etiqueta mala y la exactitud de prueba es 0.68; con un ridge de 1 es 0.85. Con etiquetas malas
# un regularizador gana mucho, sin ellas nada.
#
# </details>
#
# **3.** Tomar los 4,000 dígitos: `solve(true_labels, n=4000)` y lo mismo con etiquetas al azar. ¿Cómo crecen las normas?
#
# <details><summary>Respuesta</summary>
#
# De 34 a 69 con etiquetas verdaderas y de 90 a 285 al azar: el doble y el triple con cuatro veces más puntos. La
# exactitud de prueba con etiquetas verdaderas sube a 0.97.
#
# </details>
#
# **4.** En la demostración la dirección a es al azar. ¿Qué falla si dos imágenes son iguales y tienen etiquetas distintas?
#
# <details><summary>Respuesta</summary>
#
# Entonces $z_i = z_j$ para toda a: la matriz tiene un cero en la diagonal, y no hay función que tome ambas etiquetas. El
# teorema trata de puntos distintos.
#
# </details>
