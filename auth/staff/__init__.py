"""Members of staff: who they are, how they sign in, what their roles let them do (DOMAIN 2.7, 3.16).

two factors at every sign-in              service.sign_in
5 failures → locked for 15 minutes        rules.after_failure, rules.is_locked
a one-time code counts once               rules.matching_step (the step is kept)
idle for 15 minutes → signed out          rules.is_over, authenticator.staff_of
an act that matters: one factor again     confirmations.service, access.staff(confirm=)
passwords: the last five, the first one   passwords.service.change
three administrators kept apart           rules.check_roles, and a CHECK of the table
accounts, roles, lost authenticators      management.service; nobody's own, by CHECKs
temporary accounts end by themselves      rules.may_sign_in
the audit log has its own reader          audits.queries
role → permissions                        roles.PERMISSIONS
leaver or changed role: at the next call  service.disable, service.change_roles, authenticator.staff_of
"""
