"""Pages of the host itself, for people: the console of the HL7 bridge, and the clinicians' pages of video visits."""
