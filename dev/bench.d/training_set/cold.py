"""PostgreSQL with nothing in memory: restarted, and its files dropped from the kernel's page cache."""

import os
import subprocess
from pathlib import Path


def postmaster(data_directory):
    return int((Path(data_directory) / "postmaster.pid").read_text().split("\n", 1)[0])


def drop_from_cache(directory):
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                file = os.open(os.path.join(folder, name), os.O_RDONLY)
            except OSError:
                continue  # A socket, or gone.
            try:
                os.fsync(file)  # Only what is on the disk can be dropped.
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)


def restart_cold(stack, data_directory):
    """`stack` is dev/stack, which keeps the ports."""
    subprocess.run([stack, "stop"], check=True, stdout=subprocess.DEVNULL)
    drop_from_cache(data_directory)
    subprocess.run([stack, "start"], check=True, stdout=subprocess.DEVNULL)
