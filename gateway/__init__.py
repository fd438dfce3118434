"""The edge: puts the product together and is the only package that knows all the others."""
