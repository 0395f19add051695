"""What the programme decides, pure: no clock, no store, only the document and the facts."""
