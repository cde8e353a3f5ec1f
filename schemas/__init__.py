"""What Wharf promises to the outside: its words and the shapes of its bodies and rows."""
