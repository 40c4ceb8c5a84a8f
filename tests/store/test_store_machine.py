"""A random life of a system beside a model of it made of dictionaries."""

from hypothesis import HealthCheck, settings

from store_machine import StoreMachine

StoreMachine.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=tuple(HealthCheck),  # pyright: ignore[reportArgumentType]
)
TestStoreMachine = StoreMachine.TestCase
