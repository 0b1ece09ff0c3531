"""Analysis but for the engine that is Spark: which days are computed anew, commits, the worker engine."""
