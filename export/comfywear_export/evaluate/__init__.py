"""`comfywear-export evaluate`: a module a subject."""
