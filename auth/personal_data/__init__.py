"""Rights of persons over their own data (P-4).

what features know of a person    ports.Source: each feature tells, gateway.wiring lists them
see and export                    exports/: a job gathers, a zip for a day, downloaded by a short signed link
correct                           corrections/: a request to the counter, answered by a registrar
explain a decision                corrections/, kind EXPLAIN_DECISION
close the account                 closing/: blocked while something is open, a time to think, then forgotten
"""
