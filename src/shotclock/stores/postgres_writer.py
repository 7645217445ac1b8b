"""The one session that writes: a group of jobs in a transaction, each undone by itself if it raises, one commit.

The transaction first takes the store's lock, so that whoever writes, in any process, sees all that was committed
before. Should the connection break at the commit, what became of it is looked up under the same lock.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any
from uuid import uuid4

import psycopg

from shotclock.errors import StoreError, StoreUnsureError
from shotclock.groups import Call, Queue, interrupted
from shotclock.ports import Transaction
from shotclock.postgres import here, lost, passing
from shotclock.stores.postgres_change import PostgresTransaction
from shotclock.stores.postgres_server import Patience, Server
from shotclock.stores.postgres_session import Session
from shotclock.stores.sqlite_view import Plans


class Writer:
    """Carries out writes of all threads of a process; the session is opened by the first."""

    def __init__(self, server: Server, plans: Plans, backlog: int) -> None:
        self._server = server
        self._plans = plans
        self._backlog = backlog
        self._queue = Queue()
        self._lock = Lock()
        self._session: Session | None = None
        self._closed = False
        self._name = f"{here()}:{uuid4().hex}"
        self._number = 0
        """Of the commit at hand, or the last."""
        self._committing = False

    def write(self, work: Callable[[Transaction], Any]) -> Any:  # noqa: ANN401 - what the work returns
        """Return what `work` returned, once it is durable."""
        job = Call(work)
        self._queue.submit(job, self._lead)
        return job.outcome()

    def close(self) -> None:
        """Let a commit that is under way end, then close the session."""
        with self._lock:
            self._closed = True
            self._drop()

    def _lead(self, own: Call) -> None:
        group: list[Call] = []
        with self._lock:
            try:
                self._carry_out(group)
            except StoreError as error:
                self._fail(group, error)
            except BaseException:
                self._give_up(own, group)
                raise
        for job in group:
            job.settle()

    def _carry_out(self, group: list[Call]) -> None:
        """Carry out a group and all who come meanwhile; what passes is tried again."""
        patience = Patience(self._server.limits)
        while True:
            try:
                self._attempt(group, alone=False)
            except psycopg.Error as error:
                self._rollback(error)
                if passing(error) and patience.again():
                    continue
                if passing(error) or len(group) < 2 or not any(job.ran for job in group):  # noqa: PLR2004 - one alone
                    raise self._server.unavailable(error) from error
                self._apart(group)
            return

    def _apart(self, group: list[Call]) -> None:
        """Give each job a commit of its own: one of them asks for what PostgreSQL refuses, the others do not."""
        for job in group:
            one = [job]
            try:
                self._attempt(one, alone=True)
            except psycopg.Error as error:
                self._rollback(error)
                job.ran, job.error = False, self._server.unavailable(error)

    def _attempt(self, group: list[Call], *, alone: bool) -> None:
        """Carry out a group in a transaction; what an earlier attempt found is forgotten."""
        for job in group:
            job.ran, job.error = False, None
        session = self._connected()
        if not group and not self._queue.take(group):
            return
        transaction = self._begin(session)
        place = 0
        while place < len(group) or (not alone and len(group) < self._backlog and self._queue.take(group)):
            transaction = self._run(session, transaction, group[place])
            place += 1
        self._finish(session, transaction)

    def _begin(self, session: Session) -> PostgresTransaction:
        session.begin_write(self._server.address.lock)
        return PostgresTransaction(session, self._plans)

    def _run(self, session: Session, transaction: PostgresTransaction, job: Call) -> PostgresTransaction:
        """Run a job; return the transaction in which the next one runs."""
        transaction.begin_job()
        try:
            job.result = job.work(transaction)
        except psycopg.Error:
            job.ran = session.locked
            raise
        except Exception as error:  # noqa: BLE001 - raised again in the thread whose work it was
            job.error = error
            if not transaction.undo_job():
                session.rollback()
                return self._begin(session)
        else:
            job.ran = True
        return transaction

    def _finish(self, session: Session, transaction: PostgresTransaction) -> None:
        if not transaction.changed:
            if not session.rewind():
                self._drop()
            return
        self._number += 1
        session.defer("count", (transaction.last_entry,))
        session.defer("sign", (self._name, self._number))
        if transaction.rings:
            session.defer("ring", (self._server.address.channel, here()))
        self._committing = True
        try:
            session.change("commit")
        except psycopg.Error as error:
            if not lost(error):
                self._committing = False
                raise
            self._drop()
            self._resolve(error)
        self._committing = False

    def _resolve(self, error: psycopg.Error) -> None:
        """Find out whether the commit happened whose answer was lost; raise that error again if it did not."""
        try:
            found = self._server.patiently(self._last_number)
        except StoreError as unsure:
            message = f"{unsure}; nobody can tell whether the last commit happened: repeat the call"
            raise StoreUnsureError(message) from error
        if found != self._number:
            self._committing = False
            raise error

    def _last_number(self) -> int | None:
        """Return the number of the last commit of this writer, once whatever is under way for it has ended."""
        session = self._connected()
        try:
            session.begin_write(self._server.address.lock)
            row = session.row("finished", (self._name,))
            session.rollback()
        except psycopg.Error:
            self._drop()
            raise
        return None if row is None else row[0]

    def _fail(self, group: list[Call], error: StoreError) -> None:
        if not any(job.ran for job in group):
            # The server was not to be had: those who wait would each wait as long for the same answer.
            while len(group) < self._backlog and self._queue.take(group):
                pass
        for job in group:
            job.error = job.error or type(error)(str(error))

    def _give_up(self, own: Call, group: list[Call]) -> None:
        """After an interrupt: what was committed is so, what was not is done by the next leader, or refused."""
        happened = self._committing and self._happened()
        self._committing = False
        self._drop()
        again = [] if happened else [job for job in group if job.ran and job is not own]
        for job in group:
            if job in again:
                job.ran = False
            else:
                job.error = job.error if (job.ran and happened) or job.error else interrupted()
                job.settle()
        self._queue.put_back(again)

    def _happened(self) -> bool:
        self._drop()
        try:
            return self._server.patiently(self._last_number) == self._number
        except StoreError:
            return False

    def _rollback(self, error: psycopg.Error) -> None:
        if self._session is None:
            return
        if lost(error) or not self._session.open:
            self._drop()
            return
        try:
            self._session.rollback()
        except psycopg.Error:
            # A session that cannot even roll back is closed, which does the same; the next job opens another.
            self._drop()

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _connected(self) -> Session:
        if self._closed:
            why = "the store is closed: open it again"
            raise self._server.refused(why)
        if self._session is None:
            self._session = self._server.session()
        return self._session
