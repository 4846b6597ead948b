"""The pull consumer: the application asks for messages, and says what is committed."""
