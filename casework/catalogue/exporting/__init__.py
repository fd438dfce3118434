"""The catalogue as a file: our JSON, the national exchange tables, the departments' workbook. What is written can be imported."""
