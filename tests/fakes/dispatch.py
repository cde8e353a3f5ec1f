"""A dispatcher that remembers what it was asked to send."""

from schemas.vocabulary import TaskType
from service.dispatch import Dispatcher


class RecordingDispatcher(Dispatcher):
    """Takes every message, or none while `away` is set."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        self.sent: list[tuple[str, TaskType]] = []
        self.away = False

    def dispatch(self, task_id: str, task_type: TaskType, copies: int = 1) -> bool:
        """See Dispatcher."""
        if not self.away:
            self.sent.extend([(task_id, task_type)] * copies)
        return not self.away

    def answers(self) -> bool:
        """See Dispatcher."""
        return not self.away
