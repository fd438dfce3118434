"""The service catalogue (事项目录): what can be done, by whom, with which papers, how long and for how much.

An item is a code that never changes hands; what is true of it is a version, which never changes once published
(a matter keeps the version it was begun with). Everybody may read it; imports and withdrawals are the operators'.

- S21, S22 versions, one in force on a day → `models.ItemVersion`, `queries.item_in_force`, `service.retire`
- S23, PR-2 the exact list of papers → `rules.materials_for`
- S33 search, S48 `hot` → `rules.Query`, `queries.search`
- CR-2 who may receive the result, 3.17 what is sensitive → `importing.rules.Policies`, data in `sample/policies.json`
- S2, S30, S38 zones, departments, regions, tiles … → `lookups`
- answers that are the same for everybody, kept until the catalogue changes → `answers`
"""
