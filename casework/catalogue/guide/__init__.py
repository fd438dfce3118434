"""The guide of a situation (情形引导, S23): ask one question after the other, then tell exactly what is needed."""
