"""The one connection that writes: a group of jobs in a transaction, each undone by itself if it raises, one commit."""

import sqlite3
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any

from shotclock.errors import StoreUnavailableError
from shotclock.groups import Call, Queue, interrupted
from shotclock.ports import Transaction
from shotclock.stores.sqlite_change import SqliteTransaction
from shotclock.stores.sqlite_file import StoreFile
from shotclock.stores.sqlite_view import Plans
from shotclock.stores.statements import SQL


class Writer:
    """Carries out writes of all threads of a process; the connection is opened by the first."""

    def __init__(self, file: StoreFile, plans: Plans, backlog: int) -> None:
        self._file = file
        self._plans = plans
        self._backlog = backlog
        self._queue = Queue()
        self._lock = Lock()
        self._db: sqlite3.Connection | None = None
        self._closed = False
        self._thread: int | None = None
        self._mark = file.mark()

    def write(self, work: Callable[[Transaction], Any]) -> Any:  # noqa: ANN401 - what the work returns
        """Return what `work` returned, once it is durable."""
        job = Call(work)
        self._queue.submit(job, self._lead)
        return job.outcome()

    def close(self) -> None:
        """Let a commit that is under way end, then close the connection."""
        with self._lock:
            self._closed = True
            self._drop()

    def pause(self, patience: float) -> bool:
        """Wait for a commit under way and close the connection; nothing is written until `resume`."""
        if self._thread == get_ident() or not self._lock.acquire(timeout=patience):
            return False
        self._drop()
        return True

    def resume(self) -> None:
        """Let writes go on; the next one opens a connection."""
        self._lock.release()

    def _lead(self, own: Call) -> None:
        group: list[Call] = []
        with self._lock:
            self._thread = get_ident()
            try:
                self._carry_out(group)
            except (sqlite3.Error, StoreUnavailableError) as error:
                self._fail(group, error)
            except BaseException:
                self._give_up(own, group)
                raise
            finally:
                self._thread = None
        for job in group:
            job.settle()

    def _carry_out(self, group: list[Call]) -> None:
        db = self._connection()
        transaction = SqliteTransaction(db, self._plans)
        while len(group) < self._backlog and self._queue.take(group):
            self._run(db, transaction, group[-1])
        if db.in_transaction:
            self._check_place()
            db.execute(SQL["commit"])

    def _run(self, db: sqlite3.Connection, transaction: SqliteTransaction, job: Call) -> None:
        # The first job of a transaction needs no savepoint: if it fails, there is nothing else to keep.
        nested = db.in_transaction
        db.execute(SQL["job_begin" if nested else "begin"])
        try:
            job.result = job.work(transaction)
        except Exception as error:  # noqa: BLE001 - raised again in the thread whose work it was
            job.error = self._file.unavailable(error) if isinstance(error, sqlite3.Error) else error
            if db.in_transaction:
                db.execute(SQL["job_undo" if nested else "rollback"])
            elif not nested:
                return
        if not db.in_transaction and (nested or job.error is None):
            why = "SQLite gave the transaction up: repeat the call"
            raise self._file.refused(why)
        if nested:
            db.execute(SQL["job_end"])
        job.ran = job.error is None

    def _fail(self, group: list[Call], error: sqlite3.Error | StoreUnavailableError) -> None:
        if not any(job.ran for job in group):
            # The lock was not to be had: those who wait would each wait as long for the same answer.
            while len(group) < self._backlog and self._queue.take(group):
                pass
        self._rollback()
        told = self._file.unavailable(error) if isinstance(error, sqlite3.Error) else error
        for job in group:
            job.error = job.error or StoreUnavailableError(str(told))

    def _give_up(self, own: Call, group: list[Call]) -> None:
        again: list[Call] = []
        if self._db is not None and self._db.in_transaction:
            self._rollback()
            again = [job for job in group if job.ran and job is not own]
        for job in group:
            if job in again:
                job.ran = False
            else:
                job.error = job.error if job.ran or job.error else interrupted()
                job.settle()
        self._queue.put_back(again)

    def _rollback(self) -> None:
        if self._db is None or not self._db.in_transaction:
            return
        try:
            self._db.execute(SQL["rollback"])
        except sqlite3.Error:
            # A connection that cannot even roll back is closed, which does the same; the next job opens another.
            self._drop()

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            why = "the store is closed: open it again"
            raise self._file.refused(why)
        if self._db is None:
            self._db = self._file.connect()
        return self._db

    def _check_place(self) -> None:
        if self._file.mark() != self._mark:
            why = "another file was put in its place: restart this process"
            raise self._file.refused(why)
