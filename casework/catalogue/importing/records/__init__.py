"""What every format is read into: a record, which says everything about an item, or what the format can say of it."""
