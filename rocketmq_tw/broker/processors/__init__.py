"""
Handlers of requests to a broker, by family; each class takes only the parts it uses.
"""
