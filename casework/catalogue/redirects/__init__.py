"""Where items that ended went: renamed, split, merged, moved, succeeded. Old codes are never given again; old links lead on.

Chains are followed to what is in force; they can't loop (the database refuses it).
"""
