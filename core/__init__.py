"""What every feature stands on: settings, database, events, jobs, errors, time, money, cryptography, audit, web helpers."""
