"""OpenID Connect over HTTP: the protocol (`protocol`) and the pages a person sees (`pages`)."""
