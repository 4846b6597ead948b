"""What a subscription lets pass: tags and SQL92 expressions."""
