"""Real name by one's own Alipay: evidence for level 3, or a fresh proof of one purpose for level 4 (DOMAIN 3.7).

    asked = service.question(session, actor=..., device=..., return_to=..., name=..., document_number=..., purpose=...)
    verify_id = service.prepare(asked)                                             outside any transaction
    url, state = service.begin(session, actor=..., asked=..., verify_id=...)       the browser goes to `url`
    back = service.returned(session, actor=..., state=..., auth_code=...)          it is back
    answer = service.ask(back)                                                     outside any transaction
    service.record(session, actor=..., answer=answer).insist()                     once

What comes out is recorded by `auth.identity.service.record_answer`, like any other answer: there is no second way.
The resident ID card is the one document Alipay compares; nothing of Alipay is asked for but yes or no.
"""
