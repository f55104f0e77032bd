"""What makes the pages of the site that are drawn from docs/results."""
