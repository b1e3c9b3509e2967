/* SPDX-License-Identifier: MIT */
/*
 * Sentences.  What the thread remembers of its last call fits best; a call
 * begins by forgetting, so it is never another call's.  Outcomes remember
 * nothing: the transport then tells how the link stands now.  What is left
 * has the general sentence of its number.
 */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "link/link.h"

int ferry_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	const char *sentence;
	int n = 0;

	if (err >= 0)
		return snprintf(buf, size, "success");
	sentence = ferryi_fail_sentence(err);
	if (sentence)
		return snprintf(buf, size, "%s", sentence);
	if (l && l->t->explain)
		n = l->t->explain(l, err, buf, size);
	if (n > 0)
		return n;
	return snprintf(buf, size, "%s%s%s", l ? l->address : "", l ? ": " : "",
			ferryi_error_hint(err));
}
