"""How a place is taken: what is asked before, the locks, the one statement that takes it. Rule ids: see `casework.appointments`."""
