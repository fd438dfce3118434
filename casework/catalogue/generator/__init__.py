"""A made-up city of any size, to try the product at scale: items and service points as import files.

The same numbers and seed give the same files. Nothing in them is real, and everything says so: codes begin with SAMPLE, so
that whoever sees an item is told that it is sample data, and never collide with those of the sample catalogue.
"""
