"""A share of a sweep: what config.json says where one of several jobs trains a part of the runs."""

# The share, such as "2/4", and the whole sweep that it is of; "sweep" has the runs of the share.
SHARE, WHOLE = "share", "whole_sweep"
# What config.json has besides the keys of one run.
NOT_OF_A_RUN = ("name", "sweep", SHARE, WHOLE)
