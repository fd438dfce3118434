"""Following a parcel: the carrier's reports, the delivery code, who signed (CR-7 to CR-9, CR-11, CR-13, CR-14)."""
