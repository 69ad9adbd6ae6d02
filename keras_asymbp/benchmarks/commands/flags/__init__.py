"""Flags that several commands share, and the settings that they stand for.

A command defines its flags when its `Flags` are made, not when its module is imported:
two commands may have different flags of one name.
"""
