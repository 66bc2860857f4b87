"""The sandbox's parts: each module declares one, with the question that shows that it works."""
