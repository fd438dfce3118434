"""The working calendar: published in versions, changed by two people, followed by what was reckoned by it (K-1, K-9, K-10).

A HALL_MANAGER or SYSTEM_ADMIN proposes days, in a form or a file, another one approves or rejects them; operators publish a
package's years or a file by command. `core.calendar` keeps the versions.

- what days may be published, whole years → `rules.settle`; CSV and JSON → `files.rules`; every fault → `faults.rules`
- two people, what was decided or changed meanwhile → `service.decide`, and a CHECK of the table
- what a proposal touches → `queries.reach`
- K-9 → the job `cases.recompute_open`; AP-4, AP-15 bookings on a day that became a rest day → the job `calendars.follow`
- the alarm when next year isn't published in time → `rules.missing_year`, `jobs.watch`, `/readyz`, `/metrics`
"""
