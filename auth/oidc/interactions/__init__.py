"""An authorization request on its way: kept while the person signs in, proves more, consents; answered once.

what a request may say, and how it is refused            rules.parse
which page comes next                                    service.next_step
bound to one browser, ten minutes, answered once         models.OidcInteraction, service (every function)
the client gets no level it isn't registered for (S3)    rules.parse
a lower level is told as it is, or refused if essential  service.decline_step_up, grants.rules.level_told

How the pages (`/oidc/sign-in/<interaction>`) use it, each call in its own transaction:

    browser = browser.service.known(session, cookie=…, now=clock.wall())
    step = interactions.service.next_step(session, interaction=…, browser=browser, now=clock.wall())

`SignIn`: the person signs in (a citizen session of channel H5 is opened by `auth.factors`), then
`browser.service.sign_in(…)`, whose cookie must be sent, then `signed_in(…)`; with `choose` somebody is signed in
already and may simply go on: then only `signed_in(…)`. `StepUp`: the level is raised through `auth.identity`, or
`decline_step_up(…)`, or `refuse(…)`. `AskConsent`: `consent(…)` or `refuse(…)`. `Finish`: redirect there.
Every function raises `InteractionOver` for one that is unknown, expired, answered or another browser's.
"""
