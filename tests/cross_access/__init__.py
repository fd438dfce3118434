"""Whoever isn't meant to have something can't even learn that it exists: every route with an object in its address.

world.py             who owns, who is meant to reach it, and everybody who isn't
registry.py          what a route's entry says
citizen_objects.py   entries of the citizens' routes: a real object of a fresh owner, and a body that would work
staff_objects.py     entries of the staff routes
matter_objects.py    entries of the staff routes on cases, papers, queues and parcels
public_routes.py     addresses that hold no one's object, and secrets that are the permission themselves
answers.py           what an answer tells, and what the database holds
test_cross_access.py walks the URL map; a route without an entry fails
policy.py            the table of DOMAIN 3.16, and test_policy.py: every role at every staff route
test_pages.py        the pages of the sign-in: another browser with the same address
"""
