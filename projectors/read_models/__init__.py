"""The read models, one package each."""
