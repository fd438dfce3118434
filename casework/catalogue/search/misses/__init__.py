"""What people looked for and didn't find: the text, the day, how often. Nobody is known by it, and personal data isn't kept.

For the people who keep the lexicon and the catalogue.
"""
