"""From the runs of a config to programs that train them together, epoch by epoch."""
