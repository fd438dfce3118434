"""What staff do about delegations: paper and notarised ones, guardians, disputes, agencies, project officers (DG-1, DG-4, DG-5, DG-8)."""
