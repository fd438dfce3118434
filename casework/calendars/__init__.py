"""Changes of the working calendar by two people (K-1, K-9, K-10; DOMAIN 4.4).

A HALL_MANAGER or SYSTEM_ADMIN proposes days, another one approves or rejects them. What is approved is published with its
source, the due dates of open cases are reckoned anew, and the bookable days ahead are made afresh by the night's job.

- two people → `service.decide`, and a CHECK of the table
- K-9 → the job `cases.recompute_open`
- the alarm when next year isn't published in time → `rules.missing_year`, `jobs.watch`, `/readyz`, `/metrics`
"""
