"""Closing the account (P-4).

level 4, for this act                service.ask (CLOSE_ACCOUNT)
not while anything is open           queries.open_matters: every feature says what
a time to think                      rules.POLICY.cooling; service.call_off
then the person is forgotten         service.carry_out, auth.accounts.closing; cases stay by archive duty
"""
