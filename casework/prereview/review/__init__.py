"""The clerk's desk: the queue of a hall, claims, verdicts, the one-time notice. Rule ids: see `casework.prereview`."""
