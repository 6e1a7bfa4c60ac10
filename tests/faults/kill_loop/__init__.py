"""Kill loop: kills every process and server under load and looks for lost or doubled writes."""
