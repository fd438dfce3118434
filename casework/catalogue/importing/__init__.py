"""Importing a catalogue document: check all of it, report every fault, then write all of it or nothing.

The same document twice changes nothing; an item whose content differs gets a new version from today on (S22). What the
document doesn't say (questions about the situation, sensitivity, recipients) comes from the data
files beside the sample.

- the document's shape → `service`, its sense → `rules.faults`
- questions for papers that depend on the situation (S23) → `rules.questions`
- sensitive (3.17), recipient policy (CR-2), departments → `rules.Policies`
"""
