"""Finding an item (S33): by its name, the people's words for it, pinyin, initials, traditional forms, English, with slips.

Everybody may search. What is searched is a table of its own, kept up to date by whoever publishes, withdraws or imports
(`service.reindex`); nothing about the person who searches is kept.

- what was meant → `understanding`, with `words` (folding, pinyin) and `lexicon` (the people's words, as data)
- which items are compared → `ranking`, and their order → `comparing`
- `queries.search`, `queries.suggest`; an empty answer explains itself → `queries.Nothing`
- what people looked for in vain, without personal data → `misses`
"""
