"""The talk: an editable deck of slides with a spoken script, from what work directories hold."""
