"""Service points (S31) and halls on the map: what is near me, open now, and takes my item.

Everybody may read it; where somebody asks from is neither stored nor logged (P-1).

- S12 which points take an item: citywide or of the district, reserved to the city → `queries.near`, `models.ItemScope`
- S31 town and village points, self-service terminals → `models.ServicePoint`, `service.import_points`
- AP-4 open now, by hours, calendar and exceptions → `rules.opening`
- coordinates are GCJ-02; a phone's WGS-84 is converted → `rules.gcj02`
"""
