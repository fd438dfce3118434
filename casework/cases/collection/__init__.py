"""Submit at the nearest hall, collect the result at another one (S12)."""
