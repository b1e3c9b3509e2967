/* SPDX-License-Identifier: MIT */
/*
 * Messages that are received with faults, by a link that only receives.  They are
 * taken from the inner link one ahead and kept here until they are handed out; what is
 * in place is a copy, and has left the inner link for good.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/fault.h"
#include "sys/clock.h"
#include "sys/process.h"

/* How long one that is held back waits for the next one. */
#define PATIENCE FERRY_MS(50)

/* --- messages of this process ----------------------------------------------- */

struct ferryi_kept *ferryi_kept_new(const void *data, size_t len,
				    const char *to)
{
	struct ferryi_kept *k = len > SIZE_MAX / 2 ? NULL :
						     calloc(1, sizeof *k + len);

	if (!k)
		return NULL;
	k->m.len = len;
	if (data && len)
		memcpy(k->data, data, len);
	k->to = to ? strdup(to) : NULL;
	if (!to || k->to)
		return k;
	free(k);
	return NULL;
}

static struct ferryi_kept *copy_of(const struct ferryi_kept *k)
{
	struct ferryi_kept *copy = ferryi_kept_new(k->data, k->m.len, NULL);

	if (!copy)
		return NULL;
	copy->m = k->m;
	memcpy(copy->from, k->from, sizeof copy->from);
	return copy;
}

void ferryi_kept_free(struct ferryi_kept *k)
{
	if (!k)
		return;
	free(k->to);
	free(k);
}

void ferryi_kept_put(struct ferryi_kept **list, struct ferryi_kept *k)
{
	while (*list)
		list = &(*list)->next;
	*list = k;
}

static void free_all(struct ferryi_kept **list)
{
	struct ferryi_kept *k;

	while ((k = *list)) {
		*list = k->next;
		ferryi_kept_free(k);
	}
}

void ferryi_fault_forget(struct ferryi_fault *f)
{
	free_all(&f->held);
	free_all(&f->twin);
	free_all(&f->ready);
	f->sent = false;
	f->generation = ferryi_generation();
}

/* --- from the inner link ------------------------------------------------------ */

static int no_memory(const struct ferryi_fault *f)
{
	return ferryi_fail(-ENOMEM, "%s: out of memory for a message",
			   f->inner->address);
}

static int fetch_by_take(struct ferryi_fault *f, struct ferryi_kept **out)
{
	struct ferry_link *inner = f->inner;
	struct ferry_message m = { .link = inner };
	struct ferryi_kept *k;
	int r = inner->messages->take(inner, &m);

	if (r < 0)
		return r;
	k = ferryi_kept_new(m.data, m.len, NULL);
	if (k) {
		k->m = m;
		snprintf(k->from, sizeof k->from, "%s", m.from ? m.from : "");
	}
	r = inner->messages->release(inner, &m);
	if (r == 0 && !k)
		r = no_memory(f);
	if (r < 0)
		ferryi_kept_free(k);
	else
		*out = k;
	return r;
}

static int fetch_by_copy(struct ferryi_fault *f, struct ferryi_kept **out)
{
	struct ferry_link *inner = f->inner;
	ssize_t n = inner->messages->next_len(inner);
	struct ferryi_kept *k;

	if (n < 0)
		return (int)n;
	k = ferryi_kept_new(NULL, (size_t)n, NULL);
	if (!k)
		return no_memory(f);
	n = inner->messages->recv(inner, k->data, (size_t)n);
	if (n < 0) {
		ferryi_kept_free(k);
		return (int)n;
	}
	k->m.len = (size_t)n;
	k->m.deliveries = 1;
	*out = k;
	return 0;
}

/* --- faults ------------------------------------------------------------------- */

static void let_go(struct ferryi_fault *f, bool overtaken)
{
	if (f->held)
		f->held->overtaken = overtaken;
	ferryi_kept_put(&f->ready, f->held);
	f->held = NULL;
}

/* One message, as it came; the verdict is its own. */
static int treat(struct ferryi_fault *f, struct ferryi_kept *k)
{
	const struct ferryi_verdict *v = ferryi_fault_judge(f);
	bool drops = v->drop, holds = v->reorder && !f->held;
	struct ferryi_kept *twin = v->dup ? copy_of(k) : NULL;

	if (v->dup && !twin) {
		ferryi_kept_free(k);
		return no_memory(f);
	}
	k->due = f->due;
	k->damaged = ferryi_fault_damage(f, k->data, k->m.len);
	k->next = twin;
	if (twin)
		twin->twin = true;
	f->flipped = NULL;
	ferryi_fault_used(f, 1);
	if (drops) {
		ferryi_fault_count(&f->stat.dropped, 1);
		ferryi_kept_free(k);
	} else if (holds) {
		f->held = k;
		f->held_until = ferryi_now() + PATIENCE;
	} else {
		ferryi_kept_put(&f->ready, k);
		let_go(f, true);
	}
	return 0;
}

/* Nothing comes now, or no more: may the one that is held back go on? */
static bool is_over(const struct ferryi_fault *f, int r)
{
	return f->held && (r != -EAGAIN || ferryi_now() >= f->held_until);
}

/* What was fetched is all there is before the cut. */
static bool is_last(const struct ferryi_fault *f)
{
	return f->set.cut && f->moved >= f->set.cut;
}

static int fetch(struct ferryi_fault *f)
{
	struct ferryi_kept *k = NULL;
	int r;

	if (is_last(f))
		r = -ECONNRESET;
	else if (f->inner->messages->take)
		r = fetch_by_take(f, &k);
	else
		r = fetch_by_copy(f, &k);
	if (r == 0)
		return treat(f, k);
	if (!is_over(f, r))
		return r;
	let_go(f, false);
	return 0;
}

/* The first message to be handed out, f->ready. */
static int find(struct ferryi_fault *f)
{
	int r;

	while (!f->ready) {
		r = fetch(f);
		if (r < 0 && is_last(f))
			ferryi_fault_cut(f);
		if (r < 0)
			return r;
	}
	return f->ready->due > ferryi_now() ?
		       ferryi_fault_rest(f, 1, f->ready->due) :
		       0;
}

/* The first one is handed out. */
static void hand_out(struct ferryi_fault *f)
{
	ferryi_fault_paid(f);
	if (is_last(f) && !f->ready && !f->held)
		ferryi_fault_cut(f);
}

/* --- the calls ------------------------------------------------------------------ */

static int begin(struct ferryi_fault *f)
{
	int r = ferryi_fault_begin(f, 1);

	if (r == 0 && f->generation != ferryi_generation())
		ferryi_fault_forget(f);
	return r;
}

ssize_t ferryi_fault_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	ssize_t n = begin(f);

	if (n < 0)
		return n;
	n = find(f);
	if (n == 0)
		n = f->ready->m.len > size ? -EMSGSIZE :
					     (ssize_t)f->ready->m.len;
	if (n > 0)
		memcpy(buf, f->ready->data, (size_t)n);
	if (n >= 0)
		hand_out(f);
	ferryi_fault_leave(f);
	return n;
}

/* None are left: they were closed when the message was taken from the inner link. */
ssize_t ferryi_fault_recv_fds(struct ferry_link *l, void *buf, size_t size,
			      int *fds, unsigned *n_fds)
{
	(void)buf, (void)size, (void)fds, (void)n_fds;
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: no descriptors are received with faults (open "
			   "the sending end with them, and this one without)",
			   l->address);
}

ssize_t ferryi_fault_next_len(struct ferry_link *l)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	ssize_t n = begin(f);

	if (n < 0)
		return n;
	n = find(f);
	if (n == 0)
		n = (ssize_t)f->ready->m.len;
	ferryi_fault_leave(f);
	return n;
}

static int take_first(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	const struct ferryi_kept *k = f->ready;
	struct ferry_message place;
	int r = ferryi_copies_new(&f->copies, l, k->m.len, &place);

	if (r < 0)
		return r;
	memcpy(place.data, k->data, k->m.len);
	*m = k->m;
	m->link = l;
	m->data = place.data;
	memcpy(m->reserved, place.reserved, sizeof m->reserved);
	m->from = *k->from ? strcpy(ferryi_copies_from(&place), k->from) : NULL;
	hand_out(f);
	return 0;
}

int ferryi_fault_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = begin(f);

	if (r < 0)
		return r;
	r = find(f);
	if (r == 0)
		r = take_first(l, m);
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_release(struct ferry_link *l, struct ferry_message *m)
{
	return ferryi_copies_drop(&ferryi_fault_of(l)->copies, m);
}
