"""Places kept while a form is filled (AP-10): giving them back. Rule ids: see `casework.appointments`."""
