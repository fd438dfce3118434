"""Identity documents, credit codes, phone numbers and names: reading what people type (PROTOCOLS 6, N28, N29).

Every function takes what was typed and gives the one canonical form, or raises `IdentifierError` with the field and the
reason. Faults of typing are forgiven (full-width digits, spaces, dashes, lower case, invisible characters); doubts
about the person are not decided here.
"""

from core.identifiers.credit_code import CreditCode, normalise_credit_code
from core.identifiers.documents import DocumentNumber, DocumentType, Sex, age_on, normalise_document
from core.identifiers.errors import IdentifierError, Reason
from core.identifiers.names import name_key, normalise_name
from core.identifiers.phones import PhoneNumber, normalise_phone

__all__ = [
    "CreditCode",
    "DocumentNumber",
    "DocumentType",
    "IdentifierError",
    "PhoneNumber",
    "Reason",
    "Sex",
    "age_on",
    "name_key",
    "normalise_credit_code",
    "normalise_document",
    "normalise_name",
    "normalise_phone",
]
