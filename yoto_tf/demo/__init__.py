"""What a person starts to see it work: `yoto demo`."""
