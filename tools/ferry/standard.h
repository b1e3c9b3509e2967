/* SPDX-License-Identifier: MIT */
/*
 * Descriptors 0, 1 and 2, which our caller may have closed: then the next file that
 * anybody opens lies there, and is taken for our input or output.
 */
#ifndef FERRY_TOOLS_STANDARD_H
#define FERRY_TOOLS_STANDARD_H

/* Before anything is opened: put something there, whose use fails with EBADF as that
 * of a closed one does. */
void standard_fill(void);

/* Those that were closed are /dev/null from now on, for commands that we run. */
void standard_open(void);

#endif
