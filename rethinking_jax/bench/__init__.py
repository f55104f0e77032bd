"""How fast this is against what a user would use instead, measured on the user's machine.

    python -m rethinking_jax.bench sweep     a sweep: vmapped, looped, as a PyTorch loop
    python -m rethinking_jax.bench train     a train step of each network, against PyTorch
    python -m rethinking_jax.bench imagenet  Inception V3 and ResNet-50: speed by batch size
    python -m rethinking_jax.bench members   memory and time of 1, 4, 16, 64 vmapped runs
    python -m rethinking_jax.bench input     images decoded, streamed, and read from a cache
    python -m rethinking_jax.bench augment   an epoch with each augmentation, and without
    python -m rethinking_jax.bench solve     a kernel machine, against SciPy and scikit-learn
    python -m rethinking_jax.bench commands  a sweep as one command, or one for each run
    python -m rethinking_jax.bench values    Data Banzhaf values, against pyDVL
    python -m rethinking_jax.bench scale     ImageNet's examples without their pixels
    python -m rethinking_jax.bench campaign  all that docs/ states of a GPU, in half an hour

`--output=FILE` keeps the raw times, ratios, settings, versions and the device as JSON; what
was measured for the rules below lies in docs/bench. Speed is stated as a ratio of two
contestants that took turns in one process, the median over the rounds with the least and
the most, for absolute times drift with whatever else a machine does.

The rules behind two config keys come from these commands:

`vectorize=auto` (`sweep.make_chunks`): on a CPU as many MLPs at a time as its cache holds, if
that is at least four, and else one, which keeps the cores busy already; vmapped on a GPU or TPU
for MLPs, whose single steps are too small for it. Convolutions are looped everywhere: with
weights of their own per member they become grouped convolutions, which are slow. Measured by
`bench sweep`, `ours, vmap` over `ours, loop`, for mlp_1x512 and inception_small, and with
--at_once for small MLPs.

`epoch_loop=auto` (`program.use_scan`): all steps of an epoch in one `lax.scan`, which saves
the dispatch of each step; but a step at a time for convolutions on a CPU, which XLA
compiles to a slow form inside a loop (jax-ml/jax#12868). Measured by `bench train`,
`ours, step` over `ours, scan`; for a convolution on a CPU with --scan_convolutions.

JPEG is decoded by simplejpeg (`data.images.decode`), the fastest of those that can be
installed anywhere, and whose pixels are Pillow's. Measured by `bench input`.
"""
