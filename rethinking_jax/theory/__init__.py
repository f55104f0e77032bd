"""Sections 2.2, 4 and 5 of the paper as experiments.

Theorem 1 built and evaluated, beside the width that training needs; the exact solutions of kernel
machines; SGD on a linear model against the solution of least norm, and networks against that of
their tangent kernels. Rademacher complexity, shattering and stability train their networks by
the sweep engine (`fitting`). They run by the same command as everything else:

    python -m rethinking_jax.main --config=configs/theorem1.py
"""
