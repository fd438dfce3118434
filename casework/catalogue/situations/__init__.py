"""Situations (情形, S23): conditions on answers, what they change in a guide, and the proof that a tree of them is sound.

- conditions and effects as data, questions in order, the papers and the guide of an answer → `rules`
- the linter: every path ends in a guide, nothing dead, unreachable, contradictory or circular → `linting.rules`
"""
