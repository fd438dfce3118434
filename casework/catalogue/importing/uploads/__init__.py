"""Files that item managers send: checked and drafted by a job, whose progress is kept for them to look at."""
