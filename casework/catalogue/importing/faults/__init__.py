"""What is wrong with a file: where, what and how to mend it, in both languages, under stable codes."""
