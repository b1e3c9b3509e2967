/* SPDX-License-Identifier: MIT */
/*
 * A realm of the test's own: a fresh directory, named after the process, that
 * $FERRY_REALM points to.  It lies in what that pointed to before, so that the
 * runner sees what is left of it; or in /dev/shm.
 */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <stddef.h>

struct scratch {
	char path[128];
};

/* Make an empty directory and point $FERRY_REALM to it.  Exits on failure. */
void scratch_make(struct scratch *s, const char *tag);

/*
 * For a program whose tests run in processes of their own, and may be killed before
 * they remove what they made: everything lies in one directory of the program's, where
 * the runner has given none, and goes with it.
 */
void scratch_begin(const char *tag);
void scratch_end(void);

/* Remove what is in it, or the whole of it. */
void scratch_empty(const struct scratch *s);
void scratch_remove(const struct scratch *s);

/*
 * The entries of the directory, sorted, joined by spaces; at most `size` - 1
 * bytes.  Returns how many there are.
 */
int scratch_names(const struct scratch *s, char *buf, size_t size);

#endif
