"""What the record says of a patient, in words: shared by the clinic's, the patient's and the biller's pages."""
