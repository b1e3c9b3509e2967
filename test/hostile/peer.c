/* SPDX-License-Identifier: MIT */
/*
 * Honest peers: what programs do with a mailbox, as long as the writer writes.
 * Whatever they are answered they go on, with the same link or a new one.
 */
#include "hostile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look.h"

/* What the headers and the manual say that the calls may answer. */
static const int of_send[] = { -EAGAIN,	 -ETIMEDOUT, -EMSGSIZE, -ENOSPC,
			       -ENODATA, -ESTALE,    -EBADMSG,	0 };
static const int of_take[] = { -EAGAIN, -ETIMEDOUT, -EMSGSIZE, -ENODATA,
			       -ESTALE, -EBADMSG,   0 };
static const int of_end[] = { -EAGAIN, -ENOSPC,	 -ESTALE, -ENODATA,
			      -EINVAL, -EBADMSG, 0 };
static const int of_open[] = { -ENOENT, -EACCES, -EPROTO, -EBADMSG, -ESTALE,
			       -ENOSPC, -EBUSY,	 -EEXIST, 0 };
static const int of_look[] = { -ESTALE, -EBADMSG, -EAGAIN, -ENOENT, -EPROTO, 0 };

static unsigned char buffer[MESSAGE_MAX];
static volatile unsigned sum;

int make_box(struct ferry_link **out)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;

	o.capacity = CAPACITY;
	o.message_max = MESSAGE_MAX;
	o.persistence = FERRY_PERSIST_KERNEL;
	o.flags = FERRY_CREATE_IF_MISSING;
	return ferry_mailbox_create(out, BOX, &o);
}

struct ferry_link *open_or_make(void)
{
	struct ferry_link *box = NULL;
	/* Who removes a name may be waited for. */
	struct watch w = watch_begin("create", ferry_after(FERRY_S(4)));

	if (watch_end(&w, make_box(&box), of_open) < 0)
		look_pause_us(300);
	return box;
}

static ferry_time some_deadline(unsigned *seed)
{
	switch (rand_r(seed) % 4) {
	case 0: return ferry_after(FERRY_MS(1));
	case 1: return ferry_after(FERRY_MS(20));
	default: return FERRY_NOWAIT;
	}
}

static size_t some_size(unsigned *seed)
{
	switch (rand_r(seed) % 8) {
	case 0: return (size_t)rand_r(seed) % MESSAGE_MAX;
	case 1: return (size_t)rand_r(seed) % 1000;
	default: return (size_t)rand_r(seed) % 97;
	}
}

/* A new link now and then, and after most of what looks final. */
static struct ferry_link *renew(struct ferry_link *box, long result,
				unsigned *seed)
{
	bool final = result == -ESTALE || result == -ENODATA ||
		     result == -EBADMSG;

	if (box && !(final && rand_r(seed) % 4 == 0) && rand_r(seed) % 512)
		return box;
	ferry_close(box);
	return open_or_make();
}

static long send_in_place(struct ferry_link *box, size_t n, ferry_time until)
{
	struct watch w = watch_begin("loan", until);
	struct ferry_message m;
	long r = watch_end(&w, ferry_loan(box, n, &m, until), of_send);

	if (r < 0)
		return r;
	memset(m.data, 7, m.len);
	w = watch_begin("commit", until);
	r = watch_end(&w, ferry_commit(&m, until), of_send);
	if (r < 0 && r != -ESTALE && r != -ENODATA) {
		w = watch_begin("abandon", FERRY_NOWAIT);
		watch_end(&w, ferry_abandon(&m), of_end);
	}
	return r;
}

static long send_any(struct ferry_link *box, unsigned *seed)
{
	ferry_time until = some_deadline(seed);
	size_t n = some_size(seed);
	struct watch w;

	if (rand_r(seed) % 3 == 0)
		return send_in_place(box, n, until);
	w = watch_begin("send", until);
	return watch_end(&w, ferry_send(box, buffer, n, until), of_send);
}

/* Number, its complement: nothing that lies in a mailbox by chance. */
static void send_numbered(struct ferry_link *box)
{
	int i = __atomic_fetch_add(&board->next_id, 1, __ATOMIC_SEQ_CST);
	uint64_t message[2] = { (uint64_t)i, ~(uint64_t)i };
	int r;

	if (i >= AFTER_IDS)
		return;
	r = ferry_send(box, message, sizeof(message), ferry_after(FERRY_S(20)));
	if (r)
		violate("with the writer gone a send said %s",
			ferry_error_name(r));
	else
		board->accepted[i] = 1;
}

/*
 * What the writer has put down as ours is ours until we close: that nobody but
 * us may touch it is what the whole rests on.
 */
static struct ferry_link *close_and_open(struct ferry_link *box)
{
	ferry_close(box);
	__atomic_fetch_add(&board->closed, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&board->phase, __ATOMIC_SEQ_CST) == PHASE_CLOSE)
		look_pause_us(100);
	for (box = NULL; !box;)
		box = open_or_make();
	return box;
}

void be_sender(unsigned seed)
{
	struct ferry_link *box = open_or_make();
	long r = 0;

	while (storm_goes_on()) {
		if (box)
			r = send_any(box, &seed);
		box = renew(box, r, &seed);
	}
	box = close_and_open(box);
	while (__atomic_load_n(&board->ready, __ATOMIC_SEQ_CST) < RECEIVERS)
		look_pause_us(100);
	while (board->phase == PHASE_AFTER && board->next_id < AFTER_IDS)
		send_numbered(box);
	for (;;)
		pause();
}

static void end_any(struct ferry_message *m, unsigned *seed)
{
	unsigned how = (unsigned)rand_r(seed) % 8;
	struct watch w = watch_begin(how == 0 ? "requeue" :
				     how == 1 ? "reject" :
						"release",
				     FERRY_NOWAIT);
	long r;

	for (size_t i = 0; i < m->len; i++)
		sum += ((volatile unsigned char *)m->data)[i];
	if (how == 0)
		r = ferry_requeue(m, rand_r(seed) % 2 ? FERRY_MS(1) : 0);
	else if (how == 1)
		r = ferry_reject(m);
	else
		r = ferry_release(m);
	watch_end(&w, r, of_end);
}

static long take_any(struct ferry_link *box, unsigned *seed)
{
	ferry_time until = some_deadline(seed);
	struct ferry_message m;
	uint64_t cursor = 0;
	struct watch w;
	long r;

	switch (rand_r(seed) % 8) {
	case 0:
		w = watch_begin("recv", until);
		return watch_end(&w,
				 ferry_recv(box, buffer, sizeof(buffer), until),
				 of_take);
	case 1:
		w = watch_begin("next_len", FERRY_NOWAIT);
		return watch_end(&w, ferry_next_len(box), of_take);
	case 2:
		w = watch_begin("peek", FERRY_NOWAIT);
		return watch_end(&w,
				 ferry_peek(box, &cursor, &m, buffer,
					    sizeof(buffer)),
				 of_take);
	default:
		w = watch_begin("take", until);
		r = watch_end(&w, ferry_take(box, &m, until), of_take);
		if (r == 0)
			end_any(&m, seed);
		return r;
	}
}

static void take_numbered(struct ferry_link *box)
{
	struct ferry_message m;
	uint64_t message[2] = { 0 };
	int r = ferry_take(box, &m, FERRY_FOREVER);

	if (r) {
		violate("with the writer gone a take said %s",
			ferry_error_name(r));
		look_pause_us(10000);
		return;
	}
	if (m.len == sizeof(message))
		memcpy(message, m.data, sizeof(message));
	if (message[0] < AFTER_IDS && message[0] == ~message[1])
		__atomic_fetch_add(&board->delivered[message[0]], 1,
				   __ATOMIC_SEQ_CST);
	ferry_release(&m);
}

void be_receiver(unsigned seed)
{
	struct ferry_link *box = open_or_make();
	long r = 0;

	while (storm_goes_on()) {
		if (box)
			r = take_any(box, &seed);
		box = renew(box, r, &seed);
	}
	box = close_and_open(box);
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	while (board->phase == PHASE_AFTER)
		take_numbered(box);
	for (;;)
		pause();
}

static void look_any(struct ferry_link *box, unsigned *seed)
{
	struct ferry_mailbox_stat st = { .size = sizeof(st) };
	struct ferry_garbage *g = NULL;
	struct ferry_object *list = NULL, one;
	struct ferry_user *users = NULL;
	/* Who removes a name may be waited for. */
	ferry_time until = ferry_after(FERRY_S(4));
	struct watch w = watch_begin("an inspection", until);
	size_t n;
	long r = 0;

	switch (rand_r(seed) % 8) {
	case 0: r = ferry_list(NULL, &list, &n); break;
	case 1: r = ferry_look(BOX, &one); break;
	case 2: r = ferry_who(NULL, BOX, &users, &n); break;
	case 3: r = ferry_gc(NULL, rand_r(seed) % 4 == 0, &g, &n); break;
	default:
		w = watch_begin("stat", FERRY_NOWAIT);
		r = box ? ferry_stat(box, &st) : 0;
	}
	watch_end(&w, r, of_look);
	ferry_free(list);
	ferry_free(users);
	ferry_free(g);
}

void be_looker(unsigned seed)
{
	struct ferry_link *box = open_or_make();

	while (storm_goes_on()) {
		look_any(box, &seed);
		look_pause_us(200);
		box = renew(box, 0, &seed);
	}
	ferry_close(close_and_open(box));
	for (;;)
		pause();
}
