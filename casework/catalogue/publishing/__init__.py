"""From a draft to law and back out of it: submitted, reviewed and published by a second person, taken back before its day.

What is published for a day takes effect at its midnight in Shanghai by itself: "in force" is a matter of days (S22).
"""
