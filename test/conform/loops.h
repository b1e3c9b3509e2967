/* SPDX-License-Identifier: MIT */
/* What the tests of event loops that wait for memory share (poll_memory.c, poll_dead.c).
 * Each runs twice: way 0 with io_uring, way 1 with a thread instead. */
#ifndef CONFORM_LOOPS_H
#define CONFORM_LOOPS_H

#include <stdbool.h>
#include <sys/types.h>

#include <ferry.h>

void loop_begin(int way);

/* A mailbox that may take a thread. */
struct ferry_link *loop_box(const char *name);

bool loop_readable(int fd);
ssize_t loop_receive(struct ferry_link *l);

/* A loop that waits for a link from now on: its descriptor. */
int loop_of(struct ferry_link *l);

#endif
