"""What only training the codec needs."""
