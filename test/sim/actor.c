/* SPDX-License-Identifier: MIT */
/*
 * What a simulated process does: it joins, makes calls of the public interface
 * at random, and leaves, or ends without leaving.  What it begins and what came
 * of it goes into the history.
 *
 * Joining follows ferryi_realm_join() and become_member() of realm/segment.c,
 * without directories; all else is the library's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shm/recover.h"
#include "world.h"

extern const struct ferryi_transport ferryi_transport_mailbox;

static struct proc *me(void)
{
	return world.current;
}

static uint32_t below(uint32_t n)
{
	return random_below(&me()->random, n);
}

static void note(enum event_kind kind, unsigned id, int64_t value)
{
	history_add(kind, me()->number, id, (int32_t)value);
}

/* --- payloads ------------------------------------------------------------- */

static uint8_t byte_of(unsigned id, size_t i)
{
	if (i < 2)
		return (uint8_t)(id >> 8 * i);
	return (uint8_t)(id * 31 + i * 7 + (i >> 3) * id);
}

static void fill(void *to, unsigned id, size_t len)
{
	uint8_t bytes[SIM_LONG];

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_of(id, i);
	sim_copy(to, bytes, len);
}

/* The number of an intact message, or 0. */
static unsigned verify(const void *from, size_t len)
{
	uint8_t bytes[SIM_LONG];
	unsigned id;

	if (len < 2 || len > SIM_LONG)
		return 0;
	sim_copy(bytes, from, len);
	id = bytes[0] | (unsigned)bytes[1] << 8;
	if (id == 0 || id > world.ids || world.sent[id].len != len)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (bytes[i] != byte_of(id, i))
			return 0;
	return id;
}

static size_t some_length(void)
{
	static const uint16_t lengths[] = { 2, 8, 31, 32, 33, 96, 97, 256 };
	unsigned n = world.header.n_classes > 2 && !me()->auditor ? 8 : 6;

	return lengths[below(n)];
}

static unsigned new_id(size_t len)
{
	if (world.ids == HISTORY_IDS - 1)
		return 0;
	world.ids++;
	world.sent[world.ids].len = (uint16_t)len;
	world.sent[world.ids].sender = (uint8_t)me()->number;
	return world.ids;
}

static ferry_time some_deadline(void)
{
	if (me()->ending || !world.plan.waits)
		return FERRY_NOWAIT;
	switch (below(8)) {
	case 0:
	case 1: return FERRY_NOWAIT;
	case 2: return ferry_after(FERRY_MS(1 + below(300)));
	}
	return FERRY_FOREVER;
}

static int heed(int r)
{
	me()->ending |= r == -ECANCELED;
	return r;
}

/* --- sending -------------------------------------------------------------- */

static int send_one(ferry_time deadline)
{
	uint8_t bytes[SIM_LONG];
	size_t len = some_length();
	unsigned id = new_id(len);
	int r;

	if (!id)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_of(id, i);
	note(EV_SEND, id, (int64_t)len);
	r = heed(ferry_send(&me()->link, bytes, len, deadline));
	note(EV_SEND_RETURNS, id, r);
	world.accepted += r == 0;
	return r;
}

static void loan_one(void)
{
	struct holding *h = &me()->lent[me()->n_lent];
	size_t len = some_length();
	int r;

	h->id = new_id(len);
	if (!h->id)
		return;
	note(EV_LOAN, h->id, (int64_t)len);
	r = heed(ferry_loan(&me()->link, len, &h->m, some_deadline()));
	note(EV_LOAN_RETURNS, h->id, r);
	if (r < 0)
		return;
	me()->n_lent++;
	fill(h->m.data, h->id, len);
}

static void end_loan(bool commit)
{
	struct holding *h = &me()->lent[me()->n_lent - 1];
	int r;

	if (commit) {
		note(EV_COMMIT, h->id, (int64_t)h->m.len);
		r = heed(ferry_commit(&h->m, some_deadline()));
		note(EV_COMMIT_RETURNS, h->id, r);
		world.accepted += r == 0;
		if (r != 0)
			return;
	} else {
		note(EV_ABANDON, h->id, 0);
		r = ferry_abandon(&h->m);
		note(EV_ABANDON_RETURNS, h->id, r);
	}
	me()->n_lent--;
}

/* --- receiving ------------------------------------------------------------ */

static void look_through(const struct holding *h)
{
	if (verify(h->m.data, h->m.len) != h->id)
		note(EV_DAMAGED, h->id, 0);
}

static int take_one(ferry_time deadline)
{
	struct holding *h = &me()->held[me()->n_held];
	const uint8_t *bytes;
	int r;

	note(EV_TAKE, 0, deadline == FERRY_NOWAIT ? 0 : 1);
	r = heed(ferry_take(&me()->link, &h->m, deadline));
	if (r < 0) {
		note(EV_TAKE_RETURNS, 0, r);
		return r;
	}
	world.count.takes++;
	/* it is ours from here on, so it is told before it is read */
	bytes = h->m.data;
	h->id = bytes[0] | (unsigned)bytes[1] << 8;
	if (h->id > world.ids)
		h->id = 0;
	note(EV_TAKE_RETURNS, h->id, (int64_t)h->m.deliveries);
	me()->n_held++;
	look_through(h);
	if (h->id && h->m.sender.pid != 1000 + world.sent[h->id].sender)
		note(EV_STRANGER, h->id, 0);
	return 0;
}

static void end_held(void)
{
	struct proc *p = me();
	unsigned at = below(p->n_held), delay = below(3) ? 0 : 1 + below(60);
	struct holding h = p->held[at];
	int r;

	look_through(&h);
	p->held[at] = p->held[--p->n_held];
	if (!p->ending && !p->auditor && below(6) == 0) {
		note(EV_REQUEUE, h.id, delay);
		r = ferry_requeue(&h.m, FERRY_MS(delay));
		note(EV_REQUEUE_RETURNS, h.id, r);
		return;
	}
	note(EV_RELEASE, h.id, 0);
	r = ferry_release(&h.m);
	note(EV_RELEASE_RETURNS, h.id, r);
}

static void peek_one(void)
{
	uint8_t bytes[SIM_LONG];
	struct ferry_message m;
	uint64_t cursor = 0;
	unsigned id = 0;
	int r;

	note(EV_PEEK, 0, 0);
	r = ferry_peek(&me()->link, &cursor, &m, bytes, sizeof bytes);
	if (r == 0) {
		id = verify(bytes, m.len);
		if (!id)
			note(EV_DAMAGED, 0, 0);
	}
	note(EV_PEEK_RETURNS, id, r);
}

static void shut_down(void)
{
	note(EV_CLOSE, 0, 0);
	note(EV_CLOSE_RETURNS, 0, ferry_shutdown(&me()->link, FERRY_SEND));
}

/* --- a life --------------------------------------------------------------- */

static void join(struct proc *p)
{
	p->realm = (struct ferryi_realm){ .generation = 1,
					  .refs = 1,
					  .path = (char *)"realm",
					  .dev = 1,
					  .ino = 1,
					  .dir_dev = 1,
					  .dir_ino = 1,
					  .registry = *world_registry() };
	pthread_mutex_init(&p->realm.looking, NULL);
	while (ferryi_lease_take(&p->realm) < 0)
		;
	ferryi_realm_enter(&p->realm);
	ferryi_realm_look(&p->realm, NULL);
	p->segment = calloc(1, sizeof *p->segment);
	if (!p->segment || !(p->segment->name = strdup("box")))
		abort();
	p->segment->refs = 1;
	p->segment->realm = &p->realm;
	p->realm.segments = p->segment;
	ferryi_view_open(&p->segment->view, 0);
	p->mailbox =
		(struct ferryi_mailbox){ &p->realm, p->segment, NULL, 1, 1 };
	p->link = (struct ferry_link){
		.t = &ferryi_transport_mailbox,
		.messages = ferryi_transport_mailbox.messages,
		.flags = FERRY_SEND | FERRY_RECV,
		.address = (char *)"box",
		.cancel = { 0, -1, 1 },
		.state = &p->mailbox,
	};
	ferryi_member_add(&p->segment->view.users, p->realm.owner);
	ferryi_join(&p->segment->view.users);
}

static void leave(struct proc *p)
{
	note(EV_LEAVE, 0, 0);
	ferryi_mailbox_fini(&p->link);
	note(EV_LEAVE_RETURNS, 0, 0);
}

static void act(struct proc *p)
{
	bool sends = below(16) < p->sends;

	if (p->n_held && (p->n_held == SIM_HOLDS || below(2)))
		end_held();
	else if (p->n_lent && (p->n_lent == SIM_HOLDS || below(2)))
		end_loan(below(5) != 0);
	else if (world.plan.closes && below(24) == 0)
		shut_down();
	else if (below(16) == 0)
		peek_one();
	else if (sends && below(3) == 0)
		loan_one();
	else if (sends)
		send_one(some_deadline());
	else
		take_one(some_deadline());
}

/* When all others have gone: everything can be taken, and as much fits as did. */
static void audit(struct proc *p)
{
	struct ferryi_census census;
	uint64_t left = 0;
	unsigned n = 0;

	for (unsigned round = 0; round < 3; round++, world.now += FERRY_S(1))
		while (take_one(FERRY_NOWAIT) == 0)
			end_held();
	ferryi_queue_census(&world.queue, &census);
	for (unsigned s = FERRYI_FREE + 1; s < FERRYI_STATES; s++)
		left += census.chunks[s];
	note(EV_LEFT_OVER, 0, (int64_t)(left + census.queued));
	while (n <= world.header.n_chunks && send_one(FERRY_NOWAIT) == 0)
		n++;
	note(EV_FITS, 0, n);
	while (take_one(FERRY_NOWAIT) == 0)
		end_held();
	leave(p);
}

void actor_live(void)
{
	struct proc *p = me();

	join(p);
	if (p->auditor) {
		audit(p);
		return;
	}
	while (p->actions-- && !p->ending)
		act(p);
	if (below(4) == 0) {
		note(EV_EXITS, 0, 0);
		return;
	}
	p->ending = true;
	while (p->n_held && below(4))
		end_held();
	while (p->n_lent && below(4))
		end_loan(false);
	leave(p);
}
