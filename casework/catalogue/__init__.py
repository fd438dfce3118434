"""The service catalogue (事项目录): what can be done, by whom, with which papers, how long and for how much.

An item is a code that never changes hands; what is true of it is a version, which never changes once published
(a matter keeps the version it was begun with). Everybody may read it; imports are the operators', versions the item
managers' of the item's department.

- S21, S22 versions, one in force on a day → `models.ItemVersion`, `queries.item_in_force`
- 2.2 the national elements beside those that other features decide by → `elements`
- S22 drafts, review by a second person, publication for a day → `drafts`, `publishing`
- S22 what one version changes in another, exactly and in words → `differences`
- items that ended and where they went → `service.retire`, `redirects`
- S23, PR-2 the exact list of papers → `rules.materials_for`; everything that holds in a situation → `guide`
- S23 conditions and effects as data → `situations`; the proof that they are sound → `linting`
- S33 search, S48 `hot` → `search`; favourites → `personal`
- CR-2 who may receive the result, 3.17 what is sensitive → `importing.rules.Policies`, data in `sample/policies.json`
- S2, S30, S38 zones, departments, regions, tiles … → `lookups`
- answers that are the same for everybody, kept until the catalogue changes → `answers`
"""
