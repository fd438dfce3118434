"""The proof that a version's situations are sound (S23): run by item managers, at import, at publication and over all items.

It looks at as few answers as a question needs: only the questions that the conditions at hand depend on are walked
through, so the proof is exact and still quick.
"""
