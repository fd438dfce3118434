"""Looking somebody up without a matter in hand, in an emergency, and what a supervisor finds of it afterwards (P-5).

written down before anything is shown, with the reason          service.look_up
few a day, and confirmed with password or code                  rules.LOOKS, staff_api.persons
somebody else reviews each one, within three working days       service.review, CHECK reviewed_by_another, rules.due_at
supervisors and the security administrator see what waits       queries.looks; numbers in staff_api.security, /metrics
nobody did in time: an alarm each day until it is done          jobs.watch_emergencies
the person hears of it with the review, at the latest then      service.tell_overdue; casework.persons.looks shows them
"""
