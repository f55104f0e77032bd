"""From a workdir's numbers to tables and figures; nothing here trains."""
