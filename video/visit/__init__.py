"""What becomes of a visit in the record: facts on their way, what each changes, and how it is written."""
