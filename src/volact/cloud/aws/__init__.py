"""Amazon Web Services: its declaration, and its API through botocore, the SDK below boto3."""
