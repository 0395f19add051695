"""The programme: what the merchant decided, in one versioned document, and what follows from it."""
