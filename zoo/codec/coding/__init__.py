"""From latents to the bytes of a `.yoto` file and back."""
