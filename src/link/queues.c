/* SPDX-License-Identifier: MIT */
/* See queues.h. */
#include "link/queues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int ferryi_queue_mode(const struct ferryi_address *a, unsigned *out)
{
	const char *text = ferryi_address_get(a, "mode");
	unsigned long mode;
	char *end;

	*out = FERRYI_QUEUE_MODE;
	if (!text)
		return 0;
	mode = strtoul(text, &end, 8);
	if (*end || text[0] < '0' || text[0] > '7' || mode & ~0666ul)
		return ferryi_fail(-EINVAL,
				   "%s: mode=%.20s is not octal permission "
				   "bits (write 0660)",
				   a->scheme, text);
	*out = (unsigned)mode;
	return 0;
}

int ferryi_queue_size(const struct ferryi_address *a, const char *key,
		      uint64_t *out)
{
	const char *text = ferryi_address_get(a, key);

	if (text && (ferryi_parse_size(text, out) != 0 || *out == 0))
		return ferryi_fail(-EINVAL,
				   "%s: %s=%.60s is no number or size above 0 "
				   "(write 64 or 64K)",
				   a->scheme, key, text);
	return 0;
}

int ferryi_queue_parse(struct ferryi_address *a, const char *scheme,
		       const char *rest)
{
	char text[FERRYI_ADDRESS_MAX];
	const char *why = "it is too long";

	if (snprintf(text, sizeof text, "%s:%s", scheme, rest) >=
		    (int)sizeof text ||
	    ferryi_address_parse(a, text, &why) != 0)
		return ferryi_fail(-EINVAL, "'%s:%.200s' is no address: %s",
				   scheme, rest, why);
	return 0;
}

int ferryi_queue_no_type(const struct ferry_message *m)
{
	return m->type == 0 ?
		       0 :
		       ferryi_fail(-EOPNOTSUPP,
				   "%s: messages have no type (sysv: and "
				   "mailboxes have)",
				   m->link->address);
}

int ferryi_queue_stat(struct ferry_mailbox_stat *st,
		      const struct ferry_mailbox_stat *now)
{
	size_t size = st->size;

	if (size == 0 || size > sizeof *now)
		return ferryi_fail(-EINVAL,
				   "stat: set size to sizeof *st first");
	memcpy(st, now, size);
	st->size = size;
	return 0;
}
