"""New specs: what is likely, as a text to learn from, tried out before it is written."""
