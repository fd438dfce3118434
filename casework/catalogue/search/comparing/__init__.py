"""How well each of the items that a search looks at answers it, and the order they are shown in.

Rare units weigh more. Names that hold all of what was typed come before other words for it, those before what only sounds
so, those before what holds a part, and those before what stands in results and papers. The texts of all items lie in one
string each, so that who holds a word is found in one pass over it and not item by item: a search compares hundreds of
items with dozens of words.
"""
