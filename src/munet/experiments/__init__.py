"""The experiments of the papers: benchmarks, methods at equal budgets, results and tables."""
