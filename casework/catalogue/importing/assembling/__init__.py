"""From the rows of tables to what they say of each item, with the place of every word."""
