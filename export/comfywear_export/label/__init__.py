"""What `comfywear-export label` asks a person about, a module each."""
