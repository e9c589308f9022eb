"""Golden renderings, and what writes them."""
