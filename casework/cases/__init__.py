"""Cases (办件): the legal matter from receipt to delivery, with its promised and its legal clock.

Citizens see and withdraw theirs, clerks receive and accept, officers decide (3.16). Rules and where they are held:
C-1, C-2 → `record.service`; C-3 → `rules.check_refusal`; C-4 → `service.request_correction`;
C-5 → `service.deem_accepted`; C-6 → `service.extend`; K-2, K-5 → `rules.clocks`; K-6 → `rules.colour`; K-9 → `service.recompute`;
3.17 (sensitive matters) → `record.service.tell`; PY-12 → `service.decide`, `service.fix_fees`;
S12 → `collection.service`; QY-1 … QY-4 → `casework.progress`; CR-11 → `service.on_result_delivered`.
"""
