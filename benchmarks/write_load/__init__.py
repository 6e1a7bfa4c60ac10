"""Write load on a running platform, with a ledger of every accepted write."""
