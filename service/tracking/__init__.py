"""The life of a task: every change of its state, who may work on it, and what its rows came to."""
