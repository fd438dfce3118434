"""Who somebody is.

Features, each using only those above it:

accounts/   natural persons, their documents, phones and WeChat accounts; one person is one subject (ID-3)
sessions/   signed-in devices: access tokens, refresh families, sign-in history (ID-9)
identity/   evidence, and the assurance level it adds up to (ID-1, ID-2)
factors/    what one signs in with: one-time codes, WeChat
rebinding/  another phone or WeChat account, phones that changed hands (ID-3, ID-4)
consent/    separate consents (P-1, P-2)
kiosks/     self-service machines: signed requests, sign-in with the card in the reader (S46)
tickets/    the ticket bridge to systems without OpenID Connect (ID-7)
personal_data/   copies, corrections, closing an account (P-4)
staff/      members of staff: two factors, roles (2.7, 3.16)
delegation/     acting for another person; minors and guardians (3.8)
organisations/  legal persons and who acts for them (ID-11)
acting/         in whose name a request is made (DG-1, DG-2)

A *proof of identity* says who a person is (name and number, the card at a counter). A *factor* says that it is the same
person again (the phone, the WeChat account). Phones and WeChat accounts change hands, so a factor that joined a proven
person is *restricted*: for it, only proofs count that were made since it joined (ID-4).
"""
