"""What is looked for in the catalogue, and which items are worth comparing.

A search looks at a bounded number of items: `plan` picks the terms that few items hold, or of the common ones those that
are held together. How well each of them answers is told by `comparing`.
"""
