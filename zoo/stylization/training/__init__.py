"""What only training the stylizer needs."""
