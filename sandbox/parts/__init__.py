"""The sandbox's parts: each module declares one, with the question that shows that it works.

A client is imported when its question is asked: the part starts meanwhile.
"""
