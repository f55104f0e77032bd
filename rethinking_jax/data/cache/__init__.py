"""A cache of decoded images of one size: read in parts, written once."""
