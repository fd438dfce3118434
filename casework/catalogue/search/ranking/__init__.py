"""Which items to look at, and in which order to show them.

A search looks at a bounded number of items: `plan` picks the terms that few items hold. Each of those is then compared
with every unit of the reading; rare units weigh more. Names that hold all of it come before other words for it, those
before what only sounds so, those before what holds a part, and those before what stands in results and papers.
"""
