/* SPDX-License-Identifier: MIT */
/*
 * Loans and takes where the kernel only copies: memory of this process that a
 * message is in, from loan to commit or abandon, from take to release.
 *
 * What was taken has left the kernel: when this process dies before it is
 * released, it is gone.  A transport's state has one struct ferryi_copies, zeroed;
 * any number of messages, ended in any order, from any thread.  fork: the child has
 * copies of its own.
 */
#ifndef FERRYI_LINK_COPIES_H
#define FERRYI_LINK_COPIES_H

#include <pthread.h>

#include "link/link.h"

#define FERRYI_COPY_FROM_MAX 192 /* bytes of a sender's address, with its 0 */

struct ferryi_copy;

struct ferryi_copies {
	pthread_mutex_t lock; /* PTHREAD_MUTEX_INITIALIZER is all zeros */
	struct ferryi_copy *first;
};

/*
 * Fill `m` with a place for `len` bytes, and for a sender's address.  The loan of
 * transport.h as it is, and the first step of a take.  -ENOMEM.
 */
int ferryi_copies_new(struct ferryi_copies *c, struct ferry_link *l, size_t len,
		      struct ferry_message *m);

/* Where m->from may be written: FERRYI_COPY_FROM_MAX bytes. */
char *ferryi_copies_from(struct ferry_message *m);

/* A number of the transport's own beside the message; 0 at first. */
long *ferryi_copies_note(struct ferry_message *m);

/* May it be committed: is it ours still, and not made longer?  0, -ESTALE,
 * -EMSGSIZE. */
int ferryi_copies_check(struct ferryi_copies *c, const struct ferry_message *m);

/* End a message: after a commit, and as abandon and release.  -ESTALE. */
int ferryi_copies_drop(struct ferryi_copies *c, const struct ferry_message *m);

/* With the link: all that nobody has ended. */
void ferryi_copies_fini(struct ferryi_copies *c);

#endif
