"""Tables: the sheets of the departments' workbook and the national exchange tables, as columns of records.

Which column holds what is data: `data/workbook.json` and `data/exchange.json`.
"""
