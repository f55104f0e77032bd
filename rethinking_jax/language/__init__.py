"""The words that people read, in the languages that a config may ask for."""
