"""Objects in an S3 store: read by range, written in parts, handed out by signed links."""
