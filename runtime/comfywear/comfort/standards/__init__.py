"""The standards of thermal comfort as functions: a file a standard, numpy only, units in the names.

`comfywear.comfort` exports them all.
"""
