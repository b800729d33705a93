"""`comfywear bench`: a module a stage."""
