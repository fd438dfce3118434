"""Tests of bookings of people who were frozen."""
