"""The free slots as people see them. Rule ids: see `casework.appointments`."""
