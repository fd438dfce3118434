"""How an appointment changes state, what is written down then, and who is told. Rule ids: see `casework.appointments`."""
