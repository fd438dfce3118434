"""Cost of a request, as ratios within one run: `make bench`. Not part of the product."""
