"""The sandbox's own tests: every simulator over real HTTP, without the product's database or application."""
