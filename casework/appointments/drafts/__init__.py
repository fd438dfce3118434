"""A booking before it is taken: item, slot, situation, who comes. Rule ids: see `casework.appointments`."""
