"""Two people, one number: a registrar decides, the system never merges proven names (PEERS 4.2)."""
