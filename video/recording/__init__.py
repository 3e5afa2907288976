"""What of a visit is recorded: kept sealed as it comes, made into WebM without decoding when it is over."""
