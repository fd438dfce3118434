"""Cases that nothing automatic may go on with: a person has to decide (ID-12)."""
