"""Adapters: each implements the features' ports over a platform's real protocol; its codes are translated at the top."""
