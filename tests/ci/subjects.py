"""Checks .ci/subjects on repositories made for it: python3 tests/ci/subjects.py"""

import os
import subprocess
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / ".ci" / "subjects"


def git(folder, *arguments, author="Ada"):
    identity = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    ended = subprocess.run(["git", "-C", folder, *arguments], env=os.environ | identity, capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def commit(folder, subject, author="Ada"):
    git(folder, "commit", "--quiet", "--allow-empty", "-m", subject, author=author)
    return git(folder, "rev-parse", "HEAD")


def check(folder, base):
    ended = subprocess.run([SCRIPT], cwd=folder, env=os.environ | {"SUBJECTS_BASE": base}, capture_output=True, text=True)
    return ended.returncode, ended.stdout + ended.stderr


def expect(what, got, code, says):
    assert got[0] == code and says in got[1], f"{what}: exit code {got[0]}, said {got[1]!r}"
    print(f"  ✓ {what}")


with tempfile.TemporaryDirectory() as folder:
    repository = f"{folder}/repository"
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", repository], check=True)
    commit(repository, "Before the rule, a subject could be as long as it liked and say whatever it wanted to say.")
    base = commit(repository, "base")
    expect("nothing since the base", check(repository, base), 0, "0 commits")
    commit(repository, "intents: refuse a nack after the ttl")
    commit(repository, "identity/keys, docs: rotate with an overlap")
    commit(repository, f"docs: {'ü' * 66}")
    commit(repository, "Bump the cargo group across 2 directories with 17 updates, as bots name their commits",
           author="dependabot[bot]")
    expect("subjects of the form", check(repository, base), 0, "3 commits")

    git(repository, "checkout", "--quiet", "-b", "side")
    commit(repository, "api: add a page")
    git(repository, "checkout", "--quiet", "main")
    commit(repository, "worker: retry later")
    git(repository, "merge", "--quiet", "--no-ff", "-m", "Merge branch 'side'", "side")
    expect("merges are left out", check(repository, base), 0, "5 commits")

    source = f"file://{repository}"
    git(folder, "clone", "--quiet", "--depth", "1", source, f"{folder}/shallow")
    expect("a shallow clone of good commits", check(f"{folder}/shallow", base), 0, "lacks")

    for subject, why in [("fix things", "is not of the form"), ("docs:", "is not of the form"), ("docs : say so", "is not of the form"),
                         ("docs: say so.", "full stop"), (f"docs: {'x' * 67}", "has 73 characters")]:
        commit(repository, subject)
        expect(f"{subject[:20]!r}", check(repository, base), 1, why)
        git(folder, "clone", "--quiet", "--depth", "1", source, f"{folder}/shallow of {subject}")
        expect("the same in a shallow clone", check(f"{folder}/shallow of {subject}", base), 1, why)
        git(repository, "reset", "--quiet", "--hard", "HEAD~1")
    expect("a repository of another history", check(repository, "0" * 40), 0, "SKIPPED")
