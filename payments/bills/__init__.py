"""Bills (缴款单): what somebody owes for a matter, to one payee, in lines that name their basis.

Issued by a clerk or by the system at a fixed rate (`casework` decides which lines), paid through `payments.orders`, given
back through `payments.refunds`. Used by the surfaces `miniprogram_api.prepayment` and `staff_api.bills`.

- PY-1 who may issue → `service.issue`; the citizen never types an amount
- PY-2 lines in whole fen, relief with its reason → `rules.Line`, CHECKs of `bill_line`
- PY-3 one bill, one payee → `fee_bill.payee`
- PY-4 agency pays by a pay code → `service.make_pay_code`, `queries.by_pay_code`
- PY-6 thirty days or with the pre-review → `rules.POLICY`, `rules.check_payable`, job `bills.expire`
- PY-12 (part) prepay gives a voucher that is no invoice → `queries.voucher`
- PY-15 relief is shown with its basis and logged → `service.issue`
- 3.5 states → `rules.TRANSITIONS`
"""
