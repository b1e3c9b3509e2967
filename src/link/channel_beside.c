/* SPDX-License-Identifier: MIT */
/*
 * Messages of which a part goes beside the ring: descriptors, and those that are
 * longer than half of it, which lie in memory of their own.
 *
 * That part goes first, through a socket that carries nothing else (the carrier),
 * under a number that its message then has in the ring.  Who is killed between
 * the two has sent nothing: what lies in the carrier without a message is closed
 * with the socket, or by the receiver on its way to a later number.  The receiver
 * looks at the packet before it takes the message, so that one for which it has no
 * descriptors left stays the next one.
 *
 * One long message is under way at a time: the next one waits until it is ended.
 * So a channel holds what its rings hold, and one such each way.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "link/channel.h"
#include "shm/atomic.h"
#include "sys/files.h"
#include "sys/passing.h"

/* The bytes that go through the carrier. */
struct packet {
	uint64_t by; /* the process that sends */
	uint64_t number;
};

/* What the ring has of such a message; what is not long follows it. */
struct beside {
	struct packet packet;
	uint64_t len;
	uint32_t n_fds; /* of the user's */
	uint32_t is_long;
};

#define MOST_FDS  (FERRY_FDS_MAX + 1) /* and the memory of a long one */
#define DROP_MOST 64 /* packets of the dead, on the way to ours */

/* --- memory of a long message ---------------------------------------------- */

static int no_memory(struct ferry_link *l, int err, uint64_t len)
{
	return ferryi_fail_sys(-err,
			       "%s: %llu bytes of memory for a long message "
			       "cannot be had: %s (a stream needs less)",
			       l->address, (unsigned long long)len,
			       strerror(-err));
}

static void unmap(struct ferryi_channel_long *x)
{
	if (x->base)
		ferryi_unmap(x->base, x->len);
	if (x->base && x->memory >= 0)
		ferryi_close(x->memory);
	ferryi_store(&x->base, NULL);
}

static int make_long(struct ferry_link *l, uint64_t len)
{
	struct ferryi_channel_long *x = &ferryi_channel_of(l)->out_long;
	void *base;

	x->len = len;
	x->memory = ferryi_memory_new(len);
	if (x->memory < 0)
		return no_memory(l, x->memory, len);
	base = ferryi_map(x->memory, len);
	if (!base) {
		ferryi_close(x->memory);
		return no_memory(l, -ENOMEM, len);
	}
	x->base = base;
	return 0;
}

void ferryi_channel_drop_long(struct ferryi_channel *c)
{
	unmap(&c->out_long);
}

void ferryi_channel_end_long(struct ferryi_channel *c)
{
	unmap(&c->in_long);
}

/* The one before has been ended. */
static bool may_go(struct ferryi_channel *c)
{
	if (ferryi_ring_has_passed(&c->out, c->long_until))
		return true;
	c->blocked = FERRYI_BLOCKED_LONG;
	return false;
}

/* --- sending --------------------------------------------------------------- */

static int not_passed(struct ferry_link *l, int err)
{
	ferryi_ring_abandon(&ferryi_channel_of(l)->out);
	switch (err) {
	case -EAGAIN:
		ferryi_channel_of(l)->blocked = FERRYI_BLOCKED_CARRIER;
		return err;
	case -EPIPE:
	case -ECONNRESET: return -ECONNRESET;
	case -EBADF:
		return ferryi_fail(-EINVAL,
				   "%s: one of the descriptors is not open",
				   l->address);
	case -ETOOMANYREFS:
		return ferryi_fail(-EMFILE,
				   "%s: too many descriptors are under way "
				   "(let the other side receive, or raise "
				   "ulimit -n)",
				   l->address);
	}
	return ferryi_fail_sys(-err, "%s: descriptors cannot be passed: %s",
			       l->address, strerror(-err));
}

/* The packet, then the message in the ring; the bytes of a long one lie in its
 * memory, and `data` is NULL. */
static int send_both(struct ferry_link *l, struct beside *b, const void *data,
		     const int *fds)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t in_ring = sizeof *b + (b->is_long ? 0 : b->len);
	int all[MOST_FDS], r;
	unsigned n = 0;
	void *place;

	if (b->is_long)
		all[n++] = c->out_long.memory;
	if (fds && b->n_fds)
		memcpy(all + n, fds, b->n_fds * sizeof *fds);
	r = ferryi_channel_lend(l, in_ring, &place);
	if (r < 0)
		return r;
	b->packet = (struct packet){ c->me, ++c->packets };
	r = ferryi_pass(c->carrier, &b->packet, sizeof b->packet, all,
			n + b->n_fds);
	if (r < 0)
		return not_passed(l, r);
	/* N6: passed, not yet sent; if we die here it is closed unseen */
	memcpy(place, b, sizeof *b);
	if (data && b->len)
		memcpy((uint8_t *)place + sizeof *b, data, b->len);
	ferryi_ring_commit(&c->out, in_ring, true);
	if (b->is_long)
		c->long_until = c->out.at;
	ferryi_channel_committed(c);
	return 0;
}

int ferryi_channel_commit_long(struct ferry_link *l, size_t len)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct beside b = { .len = len, .is_long = 1 };
	int r = may_go(c) ? send_both(l, &b, NULL, NULL) : -EAGAIN;

	if (r == 0)
		ferryi_channel_drop_long(c);
	return r;
}

int ferryi_channel_send_beside(struct ferry_link *l, const void *data,
			       size_t len, const int *fds, unsigned n)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct beside b = { .len = len, .n_fds = n };
	int r;

	b.is_long = len > ferryi_ring_largest(c->out.n) - sizeof b;
	if (!b.is_long)
		return send_both(l, &b, data, fds);
	if (c->out_long.base)
		return ferryi_channel_busy(l);
	if (!may_go(c))
		return -EAGAIN;
	r = make_long(l, len);
	if (r < 0)
		return r;
	memcpy(c->out_long.base, data, len);
	r = send_both(l, &b, NULL, fds);
	ferryi_channel_drop_long(c);
	return r;
}

int ferryi_channel_lend_long(struct ferry_link *l, size_t len, void **place)
{
	int r = make_long(l, len);

	if (r == 0)
		*place = ferryi_channel_of(l)->out_long.base;
	return r;
}

/* --- receiving --------------------------------------------------------------- */

/* A private copy of what the ring has. */
static int read_record(struct ferry_link *l,
		       const struct ferryi_ring_message *m, struct beside *b)
{
	if (m->len < sizeof *b)
		return ferryi_channel_nonsense(l);
	memcpy(b, m->data, sizeof *b);
	if (b->n_fds > FERRY_FDS_MAX || b->is_long > 1 || b->len > SSIZE_MAX ||
	    m->len != sizeof *b + (b->is_long ? 0 : b->len))
		return ferryi_channel_nonsense(l);
	return 0;
}

ssize_t ferryi_channel_len_beside(struct ferry_link *l,
				  const struct ferryi_ring_message *m)
{
	struct beside b;
	int r = read_record(l, m, &b);

	return r < 0 ? r : (ssize_t)b.len;
}

static void close_all(const int *fds, unsigned n)
{
	while (n > 0)
		ferryi_close(fds[--n]);
}

/* The packet of a message, which stays in the carrier; those before it belong to
 * no message. */
static int find_packet(struct ferry_link *l, const struct beside *b,
		       int fds[MOST_FDS])
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct packet p;
	unsigned n;
	int r;

	for (unsigned i = 0; i < DROP_MOST; i++) {
		r = ferryi_passed(c->carrier, &p, sizeof p, fds, MOST_FDS, &n,
				  true);
		if (r == -EMFILE)
			return ferryi_fail(
				r,
				"%s: no descriptor is left for those "
				"of the next message (raise ulimit "
				"-n; it stays first)",
				l->address);
		if (r < 0)
			break;
		if (r == sizeof p && p.by == b->packet.by &&
		    p.number == b->packet.number && n == b->n_fds + b->is_long)
			return 0;
		close_all(fds, n);
		ferryi_drop_passed(c->carrier);
	}
	return ferryi_channel_nonsense(l);
}

/* Its memory, mapped; the descriptor is closed in any case. */
static int map_long(struct ferry_link *l, int memory, uint64_t len)
{
	struct ferryi_channel_long *x = &ferryi_channel_of(l)->in_long;
	void *base = NULL;
	bool fits = !ferryi_load(&x->base) &&
		    ferryi_memory_size(memory) >= (int64_t)len;

	if (fits)
		base = ferryi_map(memory, len);
	ferryi_close(memory);
	if (!fits)
		return ferryi_channel_nonsense(l);
	if (!base)
		return no_memory(l, -ENOMEM, len);
	x->memory = -1;
	x->len = len;
	ferryi_store(&x->base, base);
	return 0;
}

/* Everything of it, and it is taken.  The user's descriptors are in fds[]. */
static int take_it(struct ferry_link *l, const struct ferryi_ring_message *m,
		   const struct beside *b, int fds[FERRY_FDS_MAX])
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int all[MOST_FDS];
	int r = find_packet(l, b, all);

	if (r < 0)
		return r;
	memcpy(fds, all + b->is_long, b->n_fds * sizeof *fds);
	if (b->is_long)
		r = map_long(l, all[0], b->len);
	if (r == 0)
		r = ferryi_channel_take_this(c, m);
	if (r < 0) {
		close_all(fds, b->n_fds);
		return r;
	}
	ferryi_drop_passed(c->carrier);
	return 0;
}

int ferryi_channel_take_beside(struct ferry_link *l,
			       const struct ferryi_ring_message *m, void **data,
			       uint64_t *len)
{
	int fds[FERRY_FDS_MAX], r;
	struct beside b;

	r = read_record(l, m, &b);
	if (r == 0)
		r = take_it(l, m, &b, fds);
	if (r < 0)
		return r;
	close_all(fds, b.n_fds); /* nobody has asked for them */
	*len = b.len;
	*data = b.is_long ? ferryi_channel_of(l)->in_long.base :
			    (uint8_t *)m->data + sizeof b;
	return 0;
}

ssize_t ferryi_channel_recv_beside(struct ferry_link *l,
				   const struct ferryi_ring_message *m,
				   void *buf, size_t size, int *fds,
				   unsigned *n)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int got[FERRY_FDS_MAX], r;
	struct beside b;

	r = read_record(l, m, &b);
	if (r < 0)
		return r;
	if (b.len > size)
		return -EMSGSIZE;
	r = take_it(l, m, &b, got);
	if (r < 0)
		return r;
	if (b.len)
		memcpy(buf,
		       b.is_long ? c->in_long.base :
				   (uint8_t *)m->data + sizeof b,
		       b.len);
	if (b.is_long)
		ferryi_channel_end_long(c);
	ferryi_channel_finish(c, m->at);
	for (unsigned i = 0; i < b.n_fds; i++)
		if (i < *n)
			fds[i] = got[i];
		else
			ferryi_close(got[i]);
	*n = b.n_fds;
	return (ssize_t)b.len;
}
