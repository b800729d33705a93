"""`comfywear-export train`: a module a model."""
