/* SPDX-License-Identifier: MIT */
/*
 * Open-file-description locks on single bytes: the kernel drops them when the
 * last descriptor of the description closes, which a death does for sure.
 * They are independent of pid namespaces, and, unlike POSIX record locks, do
 * not vanish when some other descriptor of the file is closed.
 */
#ifndef FERRYI_SYS_LOCK_H
#define FERRYI_SYS_LOCK_H

#include <stdint.h>

/* Lock `len` bytes at `at` for writing.  0; -EAGAIN: somebody has one. */
int ferryi_lock_try(int fd, uint64_t at, uint64_t len);

/*
 * The same, waiting until `deadline` (monotonic ns) at most: the kernel has no
 * wait with a time limit for these locks, so it is asked every millisecond.
 * For short sections only, whose holder may have been stopped.
 */
int ferryi_lock_wait(int fd, uint64_t at, uint64_t len, int64_t deadline);

void ferryi_lock_drop(int fd, uint64_t at, uint64_t len);

/* 1: another description holds a lock in the range; 0: nobody; or an error. */
int ferryi_lock_held(int fd, uint64_t at, uint64_t len);

#endif
