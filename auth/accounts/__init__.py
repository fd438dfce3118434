"""Natural persons: one subject each, with their document, phones and WeChat accounts.

one natural person is one subject          service.bind_document (unique keyed hash), service.merge      ID-3
one phone, one openid ↔ one subject        unique live bindings; service.bind_phone, bind_wechat         ID-3
a phone that changed hands                 rules.is_dormant, service.release_phone, move_phone           ID-4
death, cancellation freeze the subject     service.freeze; lifted by two people: freezing/              ID-12
a death outranks an earlier reason         freezing.service.note_death                                   ID-12
replaced documents, numbers issued twice   documents/                                                    DG-7
a person without a smartphone              service.open_for_walk_in                                      AP-20
messages go to the established phone       queries.contact                                               DG-2
"""
