"""Archive files of the event log: export, import and the formats of earlier releases."""
