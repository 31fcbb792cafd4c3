"""What is drawn, and what is measured on pictures."""
