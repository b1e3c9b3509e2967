/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that go through UNIX sockets, with the bytes that they go with.
 *
 * As in sys/sockets.h: a negative errno of the system, nothing waits, what comes
 * is close-on-exec.
 */
#ifndef FERRYI_SYS_PASSING_H
#define FERRYI_SYS_PASSING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All or nothing, at least one byte.  The descriptors stay the caller's; the
 * receiver gets copies.  -EAGAIN, -EPIPE, -EBADF, -ETOOMANYREFS. */
int ferryi_pass(int fd, const void *data, size_t len, const int *fds,
		unsigned n);

/*
 * Bytes, and the descriptors that came with them, which are the caller's: *out_n
 * of at most `max`.  With `peek` both stay, and what is given are copies.
 * Returns the number of bytes.  -EAGAIN.  -ENODATA: the end.  -EMFILE: this
 * process has no room for them; with `peek` nothing is lost by that.  -EBADMSG:
 * more than `max`; they are closed.
 */
ssize_t ferryi_passed(int fd, void *buf, size_t size, int *fds, unsigned max,
		      unsigned *out_n, bool peek);

#define FERRYI_PASSED_MOST 253 /* that the kernel lets one message have */

/*
 * A message of a socket that keeps them apart, and all descriptors that came with
 * it, which are the caller's.  Its length.  -EMSGSIZE: it is longer than `size`;
 * -EMFILE: this process has no room for them; -EAGAIN: in each case it stays the
 * first.  -ENODATA: the end.  -EBADMSG: somebody else took it meanwhile.
 */
ssize_t ferryi_passed_message(int fd, void *buf, size_t size,
			      int fds[FERRYI_PASSED_MOST], unsigned *out_n);

/* Take what ferryi_passed() would give, and close it unseen.  0, -EAGAIN, -ENODATA. */
int ferryi_drop_passed(int fd);

#endif
