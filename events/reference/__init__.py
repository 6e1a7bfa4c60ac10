"""Reference of the events for readers outside: AsyncAPI document, table, examples."""
