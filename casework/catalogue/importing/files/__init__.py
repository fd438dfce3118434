"""Importing a file of any format: check all of it, report every fault, then publish (operators) or draft (item managers)."""
