"""Uploads: places in the bucket that a caller may put one file."""

from datetime import datetime

from sqlalchemy.orm import Mapped

from service.db.models.base import Base, CreatedColumn, IdColumn, ScopeColumn


class Upload(Base):
    """A presigned place for one file, named by `upload_id` when the task is created."""

    __tablename__ = "uploads"

    id: Mapped[IdColumn]
    scope_id: Mapped[ScopeColumn]
    object_key: Mapped[str]
    file_name: Mapped[str]
    expires_at: Mapped[datetime]
    created_at: Mapped[CreatedColumn]
