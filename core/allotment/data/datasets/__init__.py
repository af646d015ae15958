"""Datasets: which files they are, what their footers and first lines tell, documents beside them."""
