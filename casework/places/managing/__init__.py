"""Changes of a hall by its manager, by optimistic lock: `edit` counts up with every change."""
