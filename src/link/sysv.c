/* SPDX-License-Identifier: MIT */
/*
 * sysv:KEY and sysv:PATH: System V message queues.  Each message has a type, by
 * which a receiver chooses; within what it chooses the first that was sent comes
 * first.  Who receives makes the queue when there is none.
 *
 * Such a queue has nothing to poll, and a waiter of the kernel's own can neither be
 * cancelled nor given a deadline.  So who waits looks again, after 1 ms, 2, 4, 8 and
 * then every 10 ms.
 *
 * Finding the key of a path is in sysv_path.c.
 */
#include "link/sysv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/copies.h"
#include "link/queues.h"
#include "sys/clock.h"
#include "sys/machine.h"
#include "sys/sysvmsg.h"

#define LOOK_FIRST FERRY_MS(1)
#define LOOK_MOST  FERRY_MS(10)
#define OPEN_AGAIN FERRY_MS(2)

#define ATTEMPTS     16
#define BUFFER_FIRST 8192u
#define BUFFER_MOST  (1u << 30)

/* A message as the kernel wants it: its type, then its text.  One a direction. */
struct buffer {
	struct ferryi_sysv_message *m;
	size_t cap; /* of the text */
};

struct sysv {
	int id;
	long type; /* of what is sent and has none */
	struct ferryi_sysv_choice choice;
	struct buffer in, out;
	ferry_time nap[2]; /* [0] send side, [1] receive side */
	struct ferryi_copies copies;
};

static struct sysv *sysv_of(struct ferry_link *l)
{
	return l->state;
}

/* --- what an address says --------------------------------------------------- */

/* All of `text` as a number of `base`, or -EINVAL. */
static int parse_number(const char *text, int base, uint64_t most,
			uint64_t *out)
{
	unsigned long long n;
	char *end;

	if (!strchr("0123456789abcdefABCDEF", *text) || !*text)
		return -EINVAL;
	n = strtoull(text, &end, base);
	if (*end || n > most)
		return -EINVAL;
	*out = n;
	return 0;
}

int ferryi_sysv_parse_key(const char *text, uint32_t *out_key)
{
	bool hex = strncmp(text, "0x", 2) == 0;
	uint64_t n = 0;

	if (parse_number(hex ? text + 2 : text, hex ? 16 : 10, UINT32_MAX,
			 &n) != 0 ||
	    n == 0)
		return ferryi_fail(-EINVAL,
				   "sysv:%.100s is no key (write sysv:1234, "
				   "sysv:0x1234, or a path with a slash)",
				   text);
	*out_key = (uint32_t)n;
	return 0;
}

static long longest_type(void)
{
	return (uint64_t)LONG_MAX < UINT32_MAX ? LONG_MAX : (long)UINT32_MAX;
}

/* type=N, and where only receiving is meant -N and !N. */
static int read_type(struct ferry_link *l, const struct ferryi_address *a)
{
	const char *text = ferryi_address_get(a, "type");
	struct sysv *q = sysv_of(l);
	bool sends = l->flags & FERRY_SEND;
	uint64_t n = 0;
	char sign;

	q->type = 1;
	if (!text)
		return 0;
	sign = *text == '-' || *text == '!' ? *text++ : 0;
	if (parse_number(text, 10, (uint64_t)longest_type(), &n) != 0 ||
	    ((sends || sign) && n == 0))
		return ferryi_fail(-EINVAL,
				   "%s: a type is a number from 1 to %ld",
				   l->address, longest_type());
	if (sends && sign)
		return ferryi_fail(-EINVAL,
				   "%s: type=%c%s chooses what to receive, and "
				   "the link sends as well (open two)",
				   l->address, sign, text);
	q->type = (long)n;
	q->choice.type = sign == '-' ? -(long)n : (long)n;
	q->choice.except = sign == '!';
	return 0;
}

static int read_ftok(const struct ferryi_address *a, uint32_t *out_key)
{
	const char *text = ferryi_address_get(a, "ftok");
	uint64_t id = 0;
	int err;

	if (parse_number(text, 10, 255, &id) != 0 || id == 0)
		return ferryi_fail(-EINVAL,
				   "sysv: ftok=%.20s is no number from 1 to "
				   "255 (a letter is its number: 'A' is 65)",
				   text);
	err = ferryi_sysv_ftok(a->rest, (int)id, out_key);
	if (err)
		return ferryi_fail_sys(-err,
				       "sysv:%.200s: ftok needs a file that is "
				       "there: %s",
				       a->rest, strerror(-err));
	if (*out_key == 0)
		return ferryi_fail(-EINVAL,
				   "sysv:%.200s: ftok gives the key 0, which "
				   "is nobody's (use another file)",
				   a->rest);
	return 0;
}

static bool is_path(const struct ferryi_address *a)
{
	return strchr(a->rest, '/') != NULL;
}

/* The key, when the address alone says it; 0: the file at the path does. */
static int read_key(const struct ferryi_address *a, uint32_t *out_key)
{
	bool ftok = ferryi_address_get(a, "ftok") != NULL;

	*out_key = 0;
	if (!is_path(a) && ftok)
		return ferryi_fail(-EINVAL,
				   "sysv: ftok= goes with a path (write "
				   "sysv:/path/to/file?ftok=1)");
	if (!is_path(a))
		return ferryi_sysv_parse_key(a->rest, out_key);
	return ftok ? read_ftok(a, out_key) : 0;
}

/* --- opening ---------------------------------------------------------------- */

int ferryi_sysv_cannot_open(const char *address, unsigned flags, int err)
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
				   "%s: this kernel has no System V message "
				   "queues",
				   address);
	case -ENOSPC:
		return ferryi_fail(-ENOSPC,
				   "%s: there are %" PRIu64 " message queues "
				   "already (remove some, or raise "
				   "kernel.msgmni)",
				   address,
				   ferryi_machine_setting("kernel/msgmni", 0));
	}
	return ferryi_fail_sys(-err, "%s: the kernel refuses: %s", address,
			       strerror(-err));
}

static int set_capacity(const char *address, int id, uint64_t bytes)
{
	int err = ferryi_sysv_set_bytes(id, bytes);

	if (err != -EPERM)
		return err ? ferryi_fail_sys(-err, "%s: capacity=: %s", address,
					     strerror(-err)) :
			     0;
	return ferryi_fail(-EACCES,
			   "%s: a queue of %" PRIu64 " bytes is more than the "
			   "%" PRIu64 " that the kernel allows (raise "
			   "kernel.msgmnb)",
			   address, bytes,
			   ferryi_machine_setting("kernel/msgmnb", 0));
}

int ferryi_sysv_make(const char *address, const struct ferryi_address *a,
		     uint32_t key)
{
	uint64_t capacity = 0;
	unsigned mode;
	int err = ferryi_queue_mode(a, &mode), id;

	if (!err)
		err = ferryi_queue_size(a, "capacity", &capacity);
	if (err)
		return err;
	id = ferryi_sysv_create(key, mode);
	if (id == -EEXIST)
		return id;
	if (id < 0)
		return ferryi_sysv_cannot_open(address, 0, id);
	err = capacity ? set_capacity(address, id, capacity) : 0;
	if (!err)
		return id;
	ferryi_sysv_remove(id);
	return err;
}

int ferryi_sysv_make_any(const char *address, const struct ferryi_address *a,
			 uint32_t *out_key)
{
	int id = -EEXIST;

	for (int i = 0; i < ATTEMPTS && id == -EEXIST; i++) {
		*out_key = ferryi_machine_random() | 1; /* 0 is nobody's */
		id = ferryi_sysv_make(address, a, *out_key);
	}
	return id;
}

static int open_key(struct ferry_link *l, const struct ferryi_address *a,
		    uint32_t key)
{
	bool sends = l->flags & FERRY_SEND, receives = l->flags & FERRY_RECV;
	int id = -ENOENT;

	for (int i = 0; i < ATTEMPTS; i++) {
		id = ferryi_sysv_open(key, receives, sends);
		if (id >= 0)
			return id;
		if (id != -ENOENT || !receives)
			return ferryi_sysv_cannot_open(l->address, l->flags,
						       id);
		id = ferryi_sysv_make(l->address, a, key);
		if (id != -EEXIST)
			return id;
	}
	return ferryi_fail(-EBUSY,
			   "%s: it is made and removed all the time by others",
			   l->address);
}

/* Of a queue that is there. */
static int check_capacity(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_sysv is;
	uint64_t wanted = 0;
	int err = ferryi_queue_size(a, "capacity", &wanted);

	if (err || !wanted || ferryi_sysv_look(sysv_of(l)->id, &is) != 0 ||
	    is.bytes_max == wanted)
		return err;
	return ferryi_fail(-EEXIST,
			   "%s: the queue is there and holds %" PRIu64
			   " bytes, not %" PRIu64 " (leave capacity= out, or "
			   "remove it first)",
			   l->address, is.bytes_max, wanted);
}

static int sysv_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct sysv *q = sysv_of(l);
	unsigned mode;
	uint32_t key;
	int err = read_type(l, a);

	if (!err)
		err = read_key(a, &key);
	if (!err)
		err = ferryi_queue_mode(a, &mode);
	if (err)
		return err;
	q->id = key ? open_key(l, a, key) : ferryi_sysv_open_path(l, a);
	return q->id < 0 ? q->id : check_capacity(l, a);
}

static int sysv_destroy(const char *rest)
{
	struct ferryi_address a;
	uint32_t key;
	int err = ferryi_queue_parse(&a, "sysv", rest), id;

	if (!err)
		err = read_key(&a, &key);
	if (err)
		return err;
	if (!key)
		return ferryi_sysv_destroy_path(&a);
	id = ferryi_sysv_open(key, false, false);
	err = id < 0 ? id : ferryi_sysv_remove(id);
	switch (err) {
	case 0: return 0;
	case -EINVAL:
	case -EIDRM:
	case -ENOENT:
		return ferryi_fail(-ENOENT, "sysv:%s does not exist", a.rest);
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "sysv:%s: only its owner may remove it",
				   a.rest);
	}
	return ferryi_fail_sys(-err, "sysv:%s: removing it failed: %s", a.rest,
			       strerror(-err));
}

/* --- results ---------------------------------------------------------------- */

static int removed(struct ferry_link *l)
{
	return ferryi_fail(-ESTALE,
			   "%s: the queue was removed (open it anew; who "
			   "receives makes it)",
			   l->address);
}

static int result(struct ferry_link *l, int err)
{
	struct ferryi_sysv is;

	if (err == -EIDRM ||
	    (err == -EINVAL && ferryi_sysv_look(sysv_of(l)->id, &is) != 0))
		return removed(l);
	return ferryi_fail_sys(-err, "%s: the kernel refuses: %s", l->address,
			       strerror(-err));
}

static int too_large(struct ferry_link *l, size_t len, uint64_t most,
		     const char *setting)
{
	return ferryi_fail(-EMSGSIZE,
			   "%s: a message of %zu bytes is larger than the "
			   "%" PRIu64 " of %s",
			   l->address, len, most, setting);
}

static int check_len(struct ferry_link *l, size_t len)
{
	uint64_t most;

	if (len <= BUFFER_FIRST)
		return 0; /* msgmax is seldom less, and then the kernel says so */
	most = ferryi_machine_setting("kernel/msgmax", BUFFER_MOST);
	return len <= most ? 0 : too_large(l, len, most, "kernel.msgmax");
}

/* Room for it may come, unless it is longer than the whole queue. */
static int full(struct ferry_link *l, size_t len)
{
	struct ferryi_sysv is;

	if (ferryi_sysv_look(sysv_of(l)->id, &is) != 0 || len <= is.bytes_max)
		return -EAGAIN;
	return too_large(l, len, is.bytes_max,
			 "the whole queue (capacity=, kernel.msgmnb)");
}

/* --- sending ---------------------------------------------------------------- */

static int reserve(struct ferry_link *l, struct buffer *b, size_t len)
{
	struct ferryi_sysv_message *m;

	if (b->m && len <= b->cap)
		return 0;
	m = len > BUFFER_MOST ? NULL : realloc(b->m, sizeof *m + len);
	if (!m)
		return ferryi_fail(-ENOMEM,
				   "%s: out of memory for a message of %zu "
				   "bytes",
				   l->address, len);
	b->m = m;
	b->cap = len;
	return 0;
}

/* The kernel says EINVAL of a removed queue and of a message that is too long. */
static int refused(struct ferry_link *l, int err, size_t len)
{
	struct ferryi_sysv is;

	if (err == -EAGAIN)
		return full(l, len);
	if (err == -EINVAL && ferryi_sysv_look(sysv_of(l)->id, &is) == 0)
		return too_large(l, len,
				 ferryi_machine_setting("kernel/msgmax", 0),
				 "kernel.msgmax");
	return result(l, err);
}

static int send_from(struct ferry_link *l, struct buffer *b, const void *data,
		     size_t len, long type)
{
	int err = check_len(l, len);

	if (!err)
		err = reserve(l, b, len);
	if (err)
		return err;
	b->m->type = type;
	if (len)
		memcpy(b->m->text, data, len);
	err = ferryi_sysv_send(sysv_of(l)->id, b->m, len);
	return err == 0 ? 0 : refused(l, err, len);
}

static int sysv_send(struct ferry_link *l, const void *data, size_t len)
{
	struct sysv *q = sysv_of(l);

	return send_from(l, &q->out, data, len, q->type);
}

static int sysv_loan(struct ferry_link *l, size_t len, struct ferry_message *m)
{
	int err = check_len(l, len);

	return err ? err : ferryi_copies_new(&sysv_of(l)->copies, l, len, m);
}

static int sysv_end(struct ferry_link *l, struct ferry_message *m)
{
	return ferryi_copies_drop(&sysv_of(l)->copies, m);
}

static int sysv_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct sysv *q = sysv_of(l);
	int err = ferryi_copies_check(&q->copies, m);

	if (!err && m->type > (uint64_t)longest_type())
		err = ferryi_fail(-EINVAL,
				  "%s: the type %" PRIu32
				  " is too large (at most %ld)",
				  l->address, m->type, longest_type());
	if (!err)
		err = send_from(l, &q->out, m->data, m->len,
				m->type ? (long)m->type : q->type);
	return err ? err : sysv_end(l, m);
}

/* --- receiving -------------------------------------------------------------- */

/* The first of those that are chosen into q->in, if it has at most `size` bytes. */
static ssize_t receive(struct ferry_link *l, size_t size)
{
	struct sysv *q = sysv_of(l);
	ssize_t n = ferryi_sysv_recv(q->id, q->in.m, size, q->choice);

	switch (n) {
	case -ENOMSG: return -EAGAIN;
	case -E2BIG: return -EMSGSIZE;
	}
	return n < 0 ? result(l, (int)n) : n;
}

/* A larger buffer, of at most `most` bytes; -EMSGSIZE: there is none. */
static int grow(struct ferry_link *l, size_t most)
{
	struct buffer *b = &sysv_of(l)->in;
	size_t cap = b->m ? 2 * b->cap : BUFFER_FIRST;

	if (b->m && b->cap >= most)
		return -EMSGSIZE;
	return reserve(l, b, cap < most ? cap : most);
}

static int too_small(struct ferry_link *l, size_t size)
{
	return ferryi_fail(-EMSGSIZE,
			   "%s: the next message is longer than the buffer of "
			   "%zu bytes (it stays first; how long it is the "
			   "kernel does not say, at most kernel.msgmax, "
			   "%" PRIu64 ")",
			   l->address, size,
			   ferryi_machine_setting("kernel/msgmax", 0));
}

static ssize_t sysv_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct buffer *b = &sysv_of(l)->in;
	ssize_t n = b->m ? 0 : reserve(l, b, BUFFER_FIRST);

	if (n < 0)
		return n;
	while ((n = receive(l, size < b->cap ? size : b->cap)) == -EMSGSIZE) {
		if (b->cap >= size)
			return too_small(l, size);
		n = grow(l, size);
		if (n < 0)
			return n;
	}
	if (n > 0)
		memcpy(buf, b->m->text, (size_t)n);
	return n;
}

/* What is chosen stays within 32 bits; a foreign sender's may be beyond. */
static uint32_t type_of(long type)
{
	return (uint64_t)type > UINT32_MAX ? UINT32_MAX : (uint32_t)type;
}

/* The place comes first: what the kernel has handed out must not get lost. */
static int try_take(struct ferry_link *l, struct ferry_message *m)
{
	struct sysv *q = sysv_of(l);
	ssize_t n = ferryi_copies_new(&q->copies, l, q->in.cap, m);

	if (n < 0)
		return (int)n;
	n = receive(l, q->in.cap);
	if (n < 0) {
		ferryi_copies_drop(&q->copies, m);
		return (int)n;
	}
	memcpy(m->data, q->in.m->text, (size_t)n);
	m->len = (size_t)n;
	m->type = type_of(q->in.m->type);
	return 0;
}

static int sysv_take(struct ferry_link *l, struct ferry_message *m)
{
	struct buffer *b = &sysv_of(l)->in;
	int err = b->m ? 0 : reserve(l, b, BUFFER_FIRST);

	while (!err && (err = try_take(l, m)) == -EMSGSIZE)
		err = grow(l, BUFFER_MOST);
	return err;
}

/* Back into the queue, behind the others; not with the turn of the send side. */
static int sysv_requeue(struct ferry_link *l, struct ferry_message *m,
			int64_t delay_ns)
{
	struct buffer b = { NULL, 0 };
	int err = ferryi_copies_check(&sysv_of(l)->copies, m);

	if (!err && delay_ns > 0)
		err = ferryi_fail(-EOPNOTSUPP,
				  "%s: a message can be given back at once "
				  "only (mailboxes know a delay)",
				  l->address);
	if (!err)
		err = send_from(l, &b, m->data, m->len, (long)m->type);
	free(b.m);
	return err ? err : sysv_end(l, m);
}

/* --- waiting, figures, the end ---------------------------------------------- */

static int sysv_interest(struct ferry_link *l, enum ferryi_want want,
			 struct ferryi_wait *w)
{
	ferry_time *nap = &sysv_of(l)->nap[want == FERRYI_WANT_RECV];

	if (want == FERRYI_WANT_OPEN) {
		ferryi_wait_tick(w, ferryi_now() + OPEN_AGAIN);
		return 0;
	}
	*nap = w->slept ? 2 * *nap : LOOK_FIRST;
	if (*nap > LOOK_MOST)
		*nap = LOOK_MOST;
	ferryi_wait_tick(w, ferryi_now() + *nap);
	return 0;
}

static int sysv_stat(struct ferry_link *l, struct ferry_mailbox_stat *st)
{
	struct ferry_mailbox_stat now = { 0 };
	struct ferryi_sysv is;
	int err = ferryi_sysv_look(sysv_of(l)->id, &is);

	if (err)
		return result(l, err);
	now.options.bytes_max = is.bytes_max;
	now.options.persistence = FERRY_PERSIST_KERNEL;
	now.queued = is.queued;
	now.bytes = is.bytes;
	return ferryi_queue_stat(st, &now);
}

static int sysv_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_sysv is;

	if ((err != -EAGAIN && err != -ETIMEDOUT) ||
	    ferryi_sysv_look(sysv_of(l)->id, &is) != 0)
		return 0;
	return snprintf(buf, size,
			"%s holds %" PRIu64 " messages, %" PRIu64 " of %" PRIu64
			" bytes%s",
			l->address, is.queued, is.bytes, is.bytes_max,
			sysv_of(l)->choice.type ? ", of all types" : "");
}

static void sysv_fini(struct ferry_link *l)
{
	struct sysv *q = sysv_of(l);

	ferryi_copies_fini(&q->copies);
	free(q->in.m);
	free(q->out.m);
}

static const struct ferryi_messages sysv_messages = {
	.send = sysv_send,
	.recv = sysv_recv,
	.loan = sysv_loan,
	.commit = sysv_commit,
	.abandon = sysv_end,
	.take = sysv_take,
	.release = sysv_end,
	.requeue = sysv_requeue,
	.stat = sysv_stat,
};

const struct ferryi_transport ferryi_transport_sysv = {
	.info = {
		.scheme = "sysv",
		.summary = "System V message queues, with types",
		.naming = "key or path",
		.framing = "message",
		.direction = "many to many",
		.buffering = "kernel, bounded",
		.persistence = "kernel",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_MANY_SEND | FERRY_CAN_MANY_RECV |
			    FERRY_CAN_NAME | FERRY_CAN_PERSIST |
			    FERRY_CAN_TYPE | FERRY_CAN_TICK,
	},
	.keys = "type capacity mode ftok",
	.state_size = sizeof(struct sysv),
	.open = sysv_open,
	.destroy = sysv_destroy,
	.fini = sysv_fini,
	.interest = sysv_interest,
	.explain = sysv_explain,
	.messages = &sysv_messages,
};
