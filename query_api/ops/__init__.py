"""Operations of the query API: readiness checks and metrics."""
