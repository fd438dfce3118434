"""Uploaded papers: kept once, encrypted, typed by their content, opened by their owner through a signed short link.

Citizens upload (level 1) and open their own files. Clerks never come here: they open a paper through the matter it belongs
to, watermarked (PR-15). Other features attach files to their matters by `service.attach`; what belongs to none is purged.

| Rule | Held by |
|---|---|
| PR-13 jpg/png/pdf/ofd, ≤ 10 MB, digest, type by content, page count | `rules.inspect`, `service.upload` |
| 2.7 outside the web root, opened only by a signed short link | `partners.storage.local`, `service.link`, `service.open_link` |
| DG-4 what an agency opens is marked with its credit code, the person and the time | `service.link` |
| 2.7 personal data encrypted | `service.upload` (a key of its own for every file) |
| P-6 unused uploads 30 days | `jobs.purge_unused` |
| PR-15 downloads watermarked with clerk and time | `service.open_marked`, called by the matter's feature |

An OFD is handed to staff unmarked: marking one needs an OFD library, and there is none to build on.
There is no virus scanner among the settings, so nothing is scanned; what may be uploaded cannot carry macros.
"""
