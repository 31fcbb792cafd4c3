"""What is minimised: loss terms, and how coefficients weigh them."""
