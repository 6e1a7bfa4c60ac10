"""HTTP of the query API: requests, responses, read-your-writes, As-Of and cursors."""
