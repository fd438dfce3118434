"""App tiles: other departments' systems, opened signed in (S38).

a tile leads to a plain address, a client of our sign-in, or the ticket bridge    rules.Kind, service.launch
targets are on a list (ID-8)                                                       service.set_target, models.LinkHost
a closed tile says why                                                             errors.TileClosed
launches are counted by day, tile and channel; nobody's name is                    models.TileLaunch
"""
