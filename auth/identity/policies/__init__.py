"""The city's choices about evidence [D], with the day each begins to hold (ID-2): policies.json."""
