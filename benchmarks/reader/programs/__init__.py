"""What is measured: each program reads one folder and tells in JSON how many points it found.

They run as scripts, each in the environment of its reader, and so know nothing of each other.
"""
