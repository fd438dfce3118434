"""What the hall and the clock do with a booking: arrival, service, closure, no-shows. Rule ids: see `casework.appointments`."""
