"""What partners may call: raw body first, signature next, work once."""
