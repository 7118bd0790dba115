"""Similar questions: which mean the same, vectors by which they are found, and a network that writes more of them."""
