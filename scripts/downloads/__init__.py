"""What download.py knows: `sources`, and its `flags`, whose Chinese texts lie beside them."""
