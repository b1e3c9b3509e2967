/* SPDX-License-Identifier: MIT */
/* How a process at the other end of a socket ended, where the kernel tells. */
#ifndef FERRYI_SYS_ENDED_H
#define FERRYI_SYS_ENDED_H

#include <sys/types.h>

/*
 * Of `pid`: a child of ours that nobody has waited for, or who connected or
 * listened at the other end of `socket` (Linux 6.16).  0: *out_status is as
 * waitpid(2) gives it.  -EAGAIN: it has not ended, or its parent has not waited
 * for it yet.  -ENODATA: nobody knows.  Reaps nothing.
 */
int ferryi_how_it_ended(int socket, pid_t pid, int *out_status);

#endif
