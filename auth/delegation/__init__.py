"""Acting for another person (委托代办)."""
