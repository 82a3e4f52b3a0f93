"""Claims: one at a time, given up at the end or by the system."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import pytest

from spinbattery import Store
from spinbattery.core import claims
from spinbattery.core.claims import claim, claimed

HOLDER = """
import sys
from pathlib import Path
from spinbattery.core.claims import claim
with claim(Path(sys.argv[1])) as ours:
    print(ours, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "claims" / "run"


@pytest.fixture
def holder(path):
    """Another process that has the claim."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_claim_in_this_process_is_refused(path):
    with claim(path) as first:
        with claim(path) as second, claim(path) as third:
            assert (first, second, third) == (True, False, False)
        with claim(path) as again:  # the refused ones took nothing away
            assert not again
        assert claimed(path)


def test_a_claim_is_freed_at_the_end_and_leaves_nothing(path):
    with claim(path) as ours:
        assert ours
        assert path.exists()
    assert list(path.parent.iterdir()) == []
    assert not claimed(path)
    with claim(path) as ours:
        assert ours


def test_a_claim_is_freed_by_an_error(path):
    with pytest.raises(KeyboardInterrupt), claim(path):
        raise KeyboardInterrupt
    assert not path.exists()
    with claim(path) as ours:
        assert ours


def test_claims_of_other_files_do_not_matter(path):
    with claim(path), claim(path.with_name("other")) as ours:
        assert ours


def test_looking_leaves_nothing_behind(path):
    assert not claimed(path)
    assert not path.parent.exists()
    path.parent.mkdir()
    path.touch()  # its owner was killed
    assert not claimed(path)
    with claim(path) as ours:
        assert ours
        assert claimed(path)
        assert path.exists()
    assert list(path.parent.iterdir()) == []


def test_a_claim_in_another_process_is_refused_here_and_freed_when_that_ends(path, holder):
    with claim(path) as ours:
        assert not ours
    assert claimed(path)
    assert path.exists()
    holder.communicate("\n")
    assert not path.exists()
    with claim(path) as ours:
        assert ours


def test_a_claim_is_waited_for(path, holder):
    Timer(0.2, holder.terminate).start()
    with claim(path, wait=True) as ours:
        assert ours
        assert holder.wait() != 0
        assert path.exists()
    assert not path.exists()


def test_a_claim_ends_though_another_process_has_inherited_its_handle(path):
    """A process that was forked meanwhile, for which a copy of the handle stands."""
    with ThreadPoolExecutor(1) as pool, ExitStack() as copies:
        with claim(path):
            copies.callback(os.close, os.dup(*handles(path)))
            waiting = pool.submit(wait_for, path)
            while len(handles(path)) < 3:
                time.sleep(0.01)
        assert waiting.result(timeout=60)


def handles(path):
    """Handles of this process that are of a file."""
    return [int(handle.name) for handle in Path("/proc/self/fd").iterdir() if handle.exists() and handle.samefile(path)]


def wait_for(path):
    with claim(path, wait=True) as ours:
        return ours


def test_ctrl_c_while_waiting_leaves_no_handle(path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(claims.fcntl, "flock", interrupted)
    with pytest.raises(KeyboardInterrupt), claim(path, wait=True):
        pytest.fail("a claim without a lock")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_claim_is_freed_when_its_process_is_killed(path, holder):
    assert claimed(path)
    holder.kill()
    holder.wait()
    assert path.exists()
    assert not claimed(path)
    with claim(path) as ours:
        assert ours
    assert list(path.parent.iterdir()) == []


def test_a_file_that_its_owner_removed_is_not_taken_for_the_claim(path, monkeypatch):
    """Between opening and locking the owner may end; then the lock is on a file without a name."""
    from spinbattery.core import claims

    real, opened = claims.os.open, []

    def opening(*arguments):
        handle = real(*arguments)
        if not opened:
            path.unlink()
        opened.append(handle)
        return handle

    monkeypatch.setattr(claims.os, "open", opening)
    with claim(path) as ours:
        assert ours
        assert path.exists()
        assert len(opened) == 2


def test_stores_claim_by_key(tmp_path):
    store, other = Store(tmp_path), Store(tmp_path)
    with store.claim("a" * 64) as ours, other.claim("a" * 64) as theirs, other.claim("b" * 64) as another:
        assert (ours, theirs, another) == (True, False, True)
        assert other.claimed("a" * 64)
    assert not other.claimed("a" * 64)
    assert store.rows() == []


def stale_once(monkeypatch, module, name):
    """Let a call fail once as it does on NFS for a file that another machine has removed."""
    real, failed = getattr(module, name), []

    def call(*arguments):
        if not failed:
            failed.append(True)
            raise OSError(errno.ESTALE, "stale file handle")
        return real(*arguments)

    monkeypatch.setattr(module, name, call)
    return failed


def test_a_stale_handle_takes_no_claim_of_another(path, monkeypatch):
    with claim(path) as ours:
        assert ours
        failed = stale_once(monkeypatch, claims.fcntl, "flock")
        with claim(path) as again:
            assert not again
        assert failed
        assert path.exists()


def test_a_handle_that_goes_stale_is_opened_again(path, monkeypatch):
    path.parent.mkdir()
    failed = stale_once(monkeypatch, claims.os, "fstat")
    with claim(path) as ours:
        assert ours
        assert failed
    assert not path.exists()


def test_without_locks_everybody_has_the_claim_and_nobody_removes_it(path, monkeypatch):
    def no_locks(*arguments):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(claims.fcntl, "flock", no_locks)
    with claim(path) as ours, claim(path) as again:
        assert ours
        assert again
    assert path.exists()


def test_another_error_of_the_lock_is_raised_and_leaves_no_handle(path, monkeypatch):
    def broken(*arguments):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(claims.fcntl, "flock", broken)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="input/output"), claim(path):
        pytest.fail("a claim without a lock")
    assert len(os.listdir("/proc/self/fd")) == before
