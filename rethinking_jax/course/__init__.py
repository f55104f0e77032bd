"""What the lectures on this material show: for each experiment its slides and its claims."""
