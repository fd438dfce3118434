"""What somebody means who types `kaifandian`, `身份正掉了`, `gjj提取` or `renew passport`: units to look for in names.

The text is cut into words of the lexicon, the longest first. What the lexicon doesn't know is looked for as it stands;
where the catalogue doesn't know it either, by how it sounds, by its initials, and one slip away.
"""
