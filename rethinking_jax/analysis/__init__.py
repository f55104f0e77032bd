"""From the numbers of finished runs to curves, tables and claims; nothing here trains."""
