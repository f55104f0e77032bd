"""After the paper: which score finds the labels that are wrong?

Labels of a training set are corrupted, networks are trained on them, and every score that the
literature has for the purpose ranks the examples. What is corrupted is known here, so each ranking
is judged: "corrupted" is a given label that is not the true one. All runs of a corruption share its
labels, so that scores are compared on the same errors, and intervals are over corruptions.
"""
