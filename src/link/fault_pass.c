/* SPDX-License-Identifier: MIT */
/*
 * What a link with faults has from the one behind it as it is, and the table of both.
 */
#include "link/fault.h"

/* --- what is taken ------------------------------------------------------------ */

static int pass_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_begin(f, 1);

	if (r < 0)
		return r;
	return ferryi_fault_hand_out(l, m,
				     f->inner->messages->take(f->inner, m));
}

/* It is the caller's no more; the inner link is there as long as it was. */
static int ended(struct ferry_link *l, int r)
{
	if (r == 0)
		ferryi_fault_leave(ferryi_fault_of(l));
	return r;
}

static int pass_abandon(struct ferry_link *l, struct ferry_message *m)
{
	struct ferry_link *inner = ferryi_fault_of(l)->inner;

	return ended(l, inner->messages->abandon(inner, m));
}

static int pass_release(struct ferry_link *l, struct ferry_message *m)
{
	struct ferry_link *inner = ferryi_fault_of(l)->inner;

	return ended(l, inner->messages->release(inner, m));
}

static int pass_requeue(struct ferry_link *l, struct ferry_message *m,
			int64_t delay_ns)
{
	struct ferry_link *inner = ferryi_fault_of(l)->inner;

	return ended(l, inner->messages->requeue(inner, m, delay_ns));
}

static int pass_reject(struct ferry_link *l, struct ferry_message *m)
{
	struct ferry_link *inner = ferryi_fault_of(l)->inner;

	return ended(l, inner->messages->reject(inner, m));
}

/* --- receiving, and looking -------------------------------------------------- */

static ssize_t pass_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	ssize_t n = ferryi_fault_begin(f, 1);

	if (n < 0)
		return n;
	n = f->inner->messages->recv(f->inner, buf, size);
	ferryi_fault_leave(f);
	return n;
}

static ssize_t pass_recv_fds(struct ferry_link *l, void *buf, size_t size,
			     int *fds, unsigned *n_fds)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	ssize_t n = ferryi_fault_begin(f, 1);

	if (n < 0)
		return n;
	n = f->inner->messages->recv_fds(f->inner, buf, size, fds, n_fds);
	ferryi_fault_leave(f);
	return n;
}

static ssize_t pass_next_len(struct ferry_link *l)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	ssize_t n = ferryi_fault_begin(f, 1);

	if (n < 0)
		return n;
	n = f->inner->messages->next_len(f->inner);
	ferryi_fault_leave(f);
	return n;
}

static int pass_peek(struct ferry_link *l, uint64_t *cursor,
		     struct ferry_message *m, void *buf, size_t size)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->messages->peek(f->inner, cursor, m, buf, size);
	ferryi_fault_leave(f);
	return r;
}

static int pass_stat(struct ferry_link *l, struct ferry_mailbox_stat *st)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->messages->stat(f->inner, st);
	ferryi_fault_leave(f);
	return r;
}

/* --- the table of a link ----------------------------------------------------- */

static bool has_faults(const struct ferryi_fault_settings *s)
{
	const struct ferryi_odds *o = &s->odds;

	return o->drop || o->dup || o->reorder || o->damage || o->delay_ns ||
	       s->cut;
}

#define HAS(name, call) .name = i->name ? call : NULL
#define SENDS(name)	HAS(name, ferryi_messages_of_faults.name)

void ferryi_fault_messages(struct ferryi_fault *f, struct ferryi_messages *out)
{
	const struct ferryi_messages *i = f->inner->messages;

	if (f->at_recv && has_faults(&f->set)) {
		*out = (struct ferryi_messages){
			.recv = ferryi_fault_recv,
			HAS(recv_fds, ferryi_fault_recv_fds),
			.next_len = ferryi_fault_next_len,
			.take = ferryi_fault_take,
			.release = ferryi_fault_release,
			HAS(stat, pass_stat),
		};
		return;
	}
	*out = (struct ferryi_messages){
		SENDS(send),
		SENDS(send_to),
		SENDS(send_fds),
		HAS(recv, pass_recv),
		HAS(recv_fds, pass_recv_fds),
		HAS(next_len, pass_next_len),
		SENDS(loan),
		SENDS(commit),
		HAS(abandon, pass_abandon),
		HAS(take, pass_take),
		HAS(release, pass_release),
		/* An answer to an address is an answer still: see transport.h. */
		.reply = i->reply || i->send_to ?
				 ferryi_messages_of_faults.reply :
				 NULL,
		HAS(requeue, pass_requeue),
		HAS(reject, pass_reject),
		HAS(peek, pass_peek),
		HAS(stat, pass_stat),
	};
}
