"""What the record says, as the documents that the API answers: as much of it as the caller may see."""
