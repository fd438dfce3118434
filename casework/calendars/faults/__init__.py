"""Everything that may be wrong with days that are to be published, and how to mend it."""
