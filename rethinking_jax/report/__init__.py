"""The report of finished workdirs: a page, and its figures and tables as files."""
