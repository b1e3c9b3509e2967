/* SPDX-License-Identifier: MIT */
/*
 * The judge: whether a history is one that the promises of <ferry/mailbox.h>
 * allow.  It sees what callers saw, and knows nothing of cells and words.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "history.h"

struct verdict {
	const char *rule; /* NULL: all is well */
	unsigned at;	  /* the event that breaks it */
	char why[160];
};

void check_history(const struct history *h, struct verdict *out);

#endif
