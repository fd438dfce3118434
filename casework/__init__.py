"""The city's services: what can be done, where, and every matter a citizen has with the city.

One folder per feature. Features call one another's `service` and `queries` or hear an event; tables stay at home.
"""
