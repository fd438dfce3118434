"""How messages get out (3.17): one delivery per message and channel, asked of the partner by a job, at allowed hours.

quiet hours 21:00–08:00               rules.allowed_at
states of a delivery                  rules.TRANSITIONS
what a run of the job does            service.begin, service.record
reports of the SMS platform           service.apply_reports
the partners, in our words            ports
"""
