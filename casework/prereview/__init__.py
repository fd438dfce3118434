"""预审: a clerk looks at uploaded papers before the citizen travels, and says once what is missing. Advice, not acceptance.

Citizens (level 2) fill, submit and follow their own; front clerks and back officers work the queue of their hall; a
supervisor can let a late defect pass. No legal clock starts here (DOMAIN, point 3).

| Rule | Held by |
|---|---|
| states of 3.1 | `rules.TRANSITIONS`, `record.service.move` |
| PR-1 what submission needs | `rules.missing`, `service.submit` |
| PR-2 list frozen with the item version; a change is told and confirmed | `rules.differences`, `service.confirm_version` |
| PR-3 claim of 30 minutes, compare-and-set | `review.service.claim`, `jobs.release_claims` |
| PR-4 verdict by material, overall verdict computed | `rules.overall`, `review.service.conclude` |
| PR-5 one-time notice | `rules.check_second_round`, `review.service.conclude`, `review.service.allow_second_defect` |
| PR-6 reason codes | `rules.Reason` |
| PR-7 rejection only for "not our business" | `review.service.reject` |
| PR-8 first answer within 1 working day | `rules.answer_due`, `jobs.note_late` |
| PR-9 expiry | `rules.change_due`, `rules.good_until`, `jobs.expire` |
| PR-10, PR-11 what others build on | `queries.passed`, `queries.find_for_counter`, `service.mark_used` |
| PR-12 refused at the counter for a visible reason | `service.record_counter_refusal` |
| PR-13 file versions, old ones stay | `service.set_material` |
| PR-14 every text says 预审 and 非正式受理 | `rules.TEXTS` |
| PR-15 clerks see masked persons and watermarked papers | `review.service.read`, `review.service.open_file` |
| P-6 drafts 90 days, rejected 1 year | `jobs.retain` |
"""
