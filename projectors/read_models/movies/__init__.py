"""Movies: the card of each movie, genres and newest movies."""
