"""`comfywear-export tune`: a module a subject."""
