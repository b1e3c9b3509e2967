/* SPDX-License-Identifier: MIT */
/* See copies.h. */
#include "link/copies.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"

struct ferryi_copy {
	struct ferryi_copy *next;
	size_t len;
	long note;
	char from[FERRYI_COPY_FROM_MAX];
	_Alignas(max_align_t) unsigned char data[];
};

static struct ferryi_copy *copy_of(const struct ferry_message *m)
{
	return (struct ferryi_copy *)(uintptr_t)m->reserved[0];
}

int ferryi_copies_new(struct ferryi_copies *c, struct ferry_link *l, size_t len,
		      struct ferry_message *m)
{
	struct ferryi_copy *copy =
		len > SIZE_MAX / 2 ? NULL : malloc(sizeof *copy + len);

	if (!copy)
		return ferryi_fail(-ENOMEM,
				   "%s: out of memory for a message of %zu "
				   "bytes",
				   l->address, len);
	copy->len = len;
	copy->note = 0;
	copy->from[0] = 0;
	*m = (struct ferry_message){ .data = copy->data,
				     .len = len,
				     .link = l,
				     .deliveries = 1,
				     .reserved = { (uintptr_t)copy } };
	pthread_mutex_lock(&c->lock);
	copy->next = c->first;
	c->first = copy;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

char *ferryi_copies_from(struct ferry_message *m)
{
	return copy_of(m)->from;
}

long *ferryi_copies_note(struct ferry_message *m)
{
	return &copy_of(m)->note;
}

/* The place that points to the copy of `m`, or NULL; with the lock. */
static struct ferryi_copy **find(struct ferryi_copies *c,
				 const struct ferry_message *m)
{
	for (struct ferryi_copy **p = &c->first; *p; p = &(*p)->next)
		if (*p == copy_of(m))
			return p;
	return NULL;
}

static int not_ours(const struct ferry_message *m)
{
	return ferryi_fail(-ESTALE, "%s: the message was ended before",
			   m->link->address);
}

int ferryi_copies_check(struct ferryi_copies *c, const struct ferry_message *m)
{
	struct ferryi_copy **p;
	size_t room = 0;

	pthread_mutex_lock(&c->lock);
	p = find(c, m);
	if (p)
		room = (*p)->len;
	pthread_mutex_unlock(&c->lock);
	if (!p)
		return not_ours(m);
	if (m->len > room)
		return ferryi_fail(
			-EMSGSIZE,
			"%s: the loan has %zu bytes, and the message "
			"%zu (a loan may only be made smaller)",
			m->link->address, room, m->len);
	return 0;
}

int ferryi_copies_drop(struct ferryi_copies *c, const struct ferry_message *m)
{
	struct ferryi_copy **p, *found = NULL;

	pthread_mutex_lock(&c->lock);
	p = find(c, m);
	if (p) {
		found = *p;
		*p = found->next;
	}
	pthread_mutex_unlock(&c->lock);
	free(found);
	return found ? 0 : not_ours(m);
}

void ferryi_copies_fini(struct ferryi_copies *c)
{
	struct ferryi_copy *next;

	for (struct ferryi_copy *each = c->first; each; each = next) {
		next = each->next;
		free(each);
	}
	c->first = NULL;
}
