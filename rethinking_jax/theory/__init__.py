"""Sections 2.2, 4 and 5 of the paper as experiments.

Each kind of experiment is a file here and a line in `kinds.KINDS`. `theorem1` builds and evaluates
the network of Theorem 1, beside the width that training needs; `kernel` solves kernel machines
exactly; `min_norm` holds SGD on a linear model against the solution of least norm, and networks
against that of their tangent kernels. `rademacher`, `shattering` and `stability` train their
networks by the sweep engine (`fitting`). All run by the same command as everything else:

    python -m rethinking_jax.main --config=configs/theorem1.py
"""
