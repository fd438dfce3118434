"""Chinese text as search compares it: width, case and traditional forms folded; how it is read aloud and abbreviated.

The tables beside (`data/`) are read once, when the first text is folded.
"""
