/* SPDX-License-Identifier: MIT */
/*
 * A sleep on futex words that needs no thread: io_uring(7) does it, from Linux 6.7
 * on, and writes to an eventfd when it ends.
 *
 * A ring belongs to the thread that made it, which it never interrupts.  When
 * another thread begins a sleep the ring is made anew for that one.  The kernel
 * ends a ring with its last descriptor, and a thread's sleeps with the thread (the
 * eventfd is written then, too): nothing stays of one that was killed.
 */
#ifndef FERRYI_SYS_URING_H
#define FERRYI_SYS_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/futex.h"

struct ferryi_uring {
	int fd;	  /* -1: there is none now */
	int told; /* the eventfd, the caller's */
	uint32_t generation;
	bool sleeps;
	unsigned *sq_tail, *cq_head, *cq_tail;
	unsigned sq_mask, cq_mask;
	uint8_t *rings;
	void *sqes, *cqes;
	size_t rings_bytes, sqes_bytes;
};

/*
 * 0, or why there can be none: -ENOSYS: the kernel has no io_uring, or none that
 * sleeps on words, or FERRY_IO_URING=0 says so; -EPERM: it is forbidden; -EMFILE,
 * -ENFILE, -ENOMEM.
 */
int ferryi_uring_new(struct ferryi_uring *u, int told);

/* For people: the cause of such an error, "this kernel (6.1.0) has ...". */
void ferryi_uring_why_not(int err, char *buf, size_t size);

/* Sleep while these words are as expected, n of 1 ... 128.  0: it sleeps; -EAGAIN:
 * one differs already; or as above.  There must be no other sleep. */
int ferryi_uring_sleep(struct ferryi_uring *u, const struct ferryi_futex *f,
		       unsigned n);

/* End the sleep, if there is one.  The eventfd stays as it is. */
void ferryi_uring_stop(struct ferryi_uring *u);

/* In the child of a fork: its descriptor only. */
void ferryi_uring_free(struct ferryi_uring *u);

#endif
