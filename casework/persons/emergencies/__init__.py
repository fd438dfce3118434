"""Looking somebody up without a matter in hand, in an emergency, and what a supervisor finds of it afterwards (P-5).

written down before anything is shown, with the reason    service.look_up
few a day, and confirmed with password or code            service.LOOKS, staff_api.persons
somebody else reviews each one                            service.review, CHECK reviewed_by_another
"""
