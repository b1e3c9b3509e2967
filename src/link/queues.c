/* SPDX-License-Identifier: MIT */
/* See queues.h. */
#include "link/queues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sys/files.h"

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

int ferryi_queue_identify(const char *scheme, const char *rest,
			  struct stat *out)
{
	struct ferryi_address a;
	int err = ferryi_queue_parse(&a, scheme, rest);

	if (err)
		return err;
	err = ferryi_stat_path(a.rest, out);
	if (err == -ENOENT)
		return ferryi_fail(err, "%s:%.300s does not exist", scheme,
				   a.rest);
	if (err)
		return ferryi_fail_sys(-err, "%s:%.300s: %s", scheme, a.rest,
				       strerror(-err));
	return S_ISLNK(out->st_mode) ?
		       ferryi_fail(-EINVAL,
				   "%s:%.300s is a symbolic link (name what it "
				   "leads to)",
				   scheme, a.rest) :
		       0;
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

int ferryi_queue_at_once(struct ferry_link *l, int64_t delay_ns)
{
	return delay_ns <= 0 ? 0 :
			       ferryi_fail(-EOPNOTSUPP,
					   "%s: a message can be given back at "
					   "once only (mailboxes know a delay)",
					   l->address);
}

/* --- sentences ---------------------------------------------------------------- */

int ferryi_queue_not_opened(const char *address, unsigned flags, int err)
{
	switch (err) {
	case -ENOENT:
		return ferryi_fail(-ENOENT,
				   "%s does not exist (who receives makes it; "
				   "start that one first)",
				   address);
	case -EACCES:
		return ferryi_fail(-EACCES,
				   "%s: you may not %s (its owner gave it its "
				   "mode when it was made, mode=)",
				   address,
				   flags == FERRY_SEND ? "send to it" :
				   flags == FERRY_RECV ? "receive from it" :
							 "do both with it");
	case -ENOSYS:
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: this kernel has no such message queues",
				   address);
	}
	return ferryi_fail_sys(-err, "%s: opening it failed: %s", address,
			       strerror(-err));
}

int ferryi_queue_restless(const char *address)
{
	return ferryi_fail(-EBUSY,
			   "%s: it is made and removed all the time by others",
			   address);
}

int ferryi_queue_not_removed(const char *scheme, const char *rest, int err)
{
	switch (err) {
	case -ENOENT:
		return ferryi_fail(-ENOENT, "%s:%s does not exist", scheme,
				   rest);
	case -EACCES:
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "%s:%s: only its owner may remove it",
				   scheme, rest);
	}
	return ferryi_fail_sys(-err, "%s:%s: removing it failed: %s", scheme,
			       rest, strerror(-err));
}

int ferryi_queue_refused(struct ferry_link *l, int err)
{
	return ferryi_fail_sys(-err, "%s: the kernel refuses: %s", l->address,
			       strerror(-err));
}

/* --- figures ------------------------------------------------------------------ */

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
