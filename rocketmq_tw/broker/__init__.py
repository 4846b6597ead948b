"""The broker: stores messages, hands them out, and knows who reads them."""
