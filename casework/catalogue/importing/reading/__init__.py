"""Opening files of the three formats within limits: encodings, zip bombs, damaged and huge files."""
