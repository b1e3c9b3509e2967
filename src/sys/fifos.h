/* SPDX-License-Identifier: MIT */
/*
 * FIFOs: pipes with a name.
 *
 * All calls return >= 0 or a negative errno of the system, unmapped.  None waits:
 * an open for writing that nobody reads is -ENXIO.  Every descriptor is
 * close-on-exec and non-blocking from birth.
 */
#ifndef FERRYI_SYS_FIFOS_H
#define FERRYI_SYS_FIFOS_H

#include <stdbool.h>
#include <stdint.h>

/* Make `name` in a directory, for its owner only.  -EEXIST. */
int ferryi_fifo_make(int dir, const char *name);

/*
 * Open it to read or to write.  What is no FIFO is -EINVAL and is not opened, since
 * that alone may do something to a device; a symbolic link is -ELOOP.
 */
int ferryi_fifo_open(int dir, const char *name, bool writing);

/*
 * One reader at a time, by agreement: a lock that goes with the open file
 * description `fd` and that the kernel drops.  0, -EWOULDBLOCK.
 */
int ferryi_fifo_lock_try(int fd);

/* What poll() tells of `fd` now: of `events`, and POLLHUP and POLLERR. */
short ferryi_fd_events(int fd, short events);

/* How many bytes lie in the pipe, or an error. */
int ferryi_fifo_queued(int fd);

/* Eight bytes that nobody can guess.  0 when there are none. */
uint64_t ferryi_random(void);

#endif
