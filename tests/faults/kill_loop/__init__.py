"""Kill loop: kills all, refuses writes and fills disks under load; looks for lost writes."""
