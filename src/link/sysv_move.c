/* SPDX-License-Identifier: MIT */
/*
 * Messages in and out of queues of System V.  The kernel wants a message behind its
 * type, so each direction has a buffer of its own.
 */
#include "link/sysv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/queues.h"
#include "sys/machine.h"

#define BUFFER_FIRST 8192u
#define BUFFER_MOST  (1u << 30)

/* --- results ---------------------------------------------------------------- */

static int removed(struct ferry_link *l)
{
	return ferryi_fail(-ESTALE,
			   "%s: the queue was removed (open it anew; who "
			   "receives makes it)",
			   l->address);
}

/* Not when we may not look: then it may be there. */
static bool is_gone(struct ferry_link *l)
{
	struct ferryi_sysv is;
	int err = ferryi_sysv_look(ferryi_sysv_of(l)->id, &is);

	return err == -EIDRM || err == -EINVAL;
}

int ferryi_sysv_result(struct ferry_link *l, int err)
{
	if (err == -EIDRM || (err == -EINVAL && is_gone(l)))
		return removed(l);
	return ferryi_queue_refused(l, err);
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

/* Room for it may come, unless it is longer than the whole queue; who may not look takes
 * that to be of the system's size. */
static int full(struct ferry_link *l, size_t len)
{
	struct ferryi_sysv is;
	const char *of = "the whole queue (capacity=, kernel.msgmnb)";
	int err = ferryi_sysv_look(ferryi_sysv_of(l)->id, &is);

	if (err == -EACCES) {
		is.bytes_max =
			ferryi_machine_setting("kernel/msgmnb", UINT64_MAX);
		of = "kernel.msgmnb (who may not receive may not look whether "
		     "the queue holds more)";
		err = 0;
	}
	return err || len <= is.bytes_max ? -EAGAIN :
					    too_large(l, len, is.bytes_max, of);
}

/* --- sending ---------------------------------------------------------------- */

static int reserve(struct ferry_link *l, struct ferryi_sysv_buffer *b,
		   size_t len)
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
	if (err == -EAGAIN)
		return full(l, len);
	if (err == -EINVAL && !is_gone(l))
		return too_large(l, len,
				 ferryi_machine_setting("kernel/msgmax", 0),
				 "kernel.msgmax");
	return ferryi_sysv_result(l, err);
}

static int send_from(struct ferry_link *l, struct ferryi_sysv_buffer *b,
		     const void *data, size_t len, long type)
{
	int err = check_len(l, len);

	if (!err)
		err = reserve(l, b, len);
	if (err)
		return err;
	b->m->type = type;
	if (len)
		memcpy(b->m->text, data, len);
	err = ferryi_sysv_send(ferryi_sysv_of(l)->id, b->m, len);
	return err == 0 ? 0 : refused(l, err, len);
}

static int sysv_send(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_sysv_link *q = ferryi_sysv_of(l);

	return send_from(l, &q->out, data, len, q->type);
}

static int sysv_loan(struct ferry_link *l, size_t len, struct ferry_message *m)
{
	int err = check_len(l, len);

	return err ? err :
		     ferryi_copies_new(&ferryi_sysv_of(l)->copies, l, len, m);
}

static int sysv_end(struct ferry_link *l, struct ferry_message *m)
{
	return ferryi_copies_drop(&ferryi_sysv_of(l)->copies, m);
}

static int sysv_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_sysv_link *q = ferryi_sysv_of(l);
	int err = ferryi_copies_check(&q->copies, m);

	if (!err && m->type > (uint64_t)ferryi_sysv_longest_type())
		err = ferryi_fail(-EINVAL,
				  "%s: the type %" PRIu32
				  " is too large (at most %ld)",
				  l->address, m->type,
				  ferryi_sysv_longest_type());
	if (!err)
		err = send_from(l, &q->out, m->data, m->len,
				m->type ? (long)m->type : q->type);
	return err ? err : sysv_end(l, m);
}

/* --- receiving -------------------------------------------------------------- */

/* The first of those that are chosen into q->in, if it has at most `size` bytes. */
static ssize_t receive(struct ferry_link *l, size_t size)
{
	struct ferryi_sysv_link *q = ferryi_sysv_of(l);
	ssize_t n = ferryi_sysv_recv(q->id, q->in.m, size, q->choice);

	switch (n) {
	case -ENOMSG: return -EAGAIN;
	case -E2BIG: return -EMSGSIZE;
	}
	return n < 0 ? ferryi_sysv_result(l, (int)n) : n;
}

/* A larger buffer, of at most `most` bytes; -EMSGSIZE: there is none. */
static int grow(struct ferry_link *l, size_t most)
{
	struct ferryi_sysv_buffer *b = &ferryi_sysv_of(l)->in;
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
	struct ferryi_sysv_buffer *b = &ferryi_sysv_of(l)->in;
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
	struct ferryi_sysv_link *q = ferryi_sysv_of(l);
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
	*ferryi_copies_note(m) = q->in.m->type;
	return 0;
}

static int sysv_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_sysv_buffer *b = &ferryi_sysv_of(l)->in;
	int err = b->m ? 0 : reserve(l, b, BUFFER_FIRST);

	while (!err && (err = try_take(l, m)) == -EMSGSIZE)
		err = grow(l, BUFFER_MOST);
	return err;
}

/* The type that it came with, which may be longer than what `m` can show. */
static long type_again(struct ferry_message *m)
{
	long came = *ferryi_copies_note(m);

	return m->type == type_of(came) ? came : (long)m->type;
}

/* Back into the queue, behind the others; not with the turn of the send side. */
static int sysv_requeue(struct ferry_link *l, struct ferry_message *m,
			int64_t delay_ns)
{
	struct ferryi_sysv_buffer b = { NULL, 0 };
	int err = ferryi_copies_check(&ferryi_sysv_of(l)->copies, m);

	if (!err)
		err = ferryi_queue_at_once(l, delay_ns);
	if (!err)
		err = send_from(l, &b, m->data, m->len, type_again(m));
	free(b.m);
	return err ? err : sysv_end(l, m);
}

const struct ferryi_messages ferryi_messages_of_sysv = {
	.send = sysv_send,
	.recv = sysv_recv,
	.loan = sysv_loan,
	.commit = sysv_commit,
	.abandon = sysv_end,
	.take = sysv_take,
	.release = sysv_end,
	.requeue = sysv_requeue,
	.stat = ferryi_sysv_stat,
};
