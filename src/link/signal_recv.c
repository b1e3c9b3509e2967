/* SPDX-License-Identifier: MIT */
/*
 * signal:self, the signals of this process as messages.
 *
 * Reading them from a descriptor needs them blocked, in every thread.  Opening the
 * link is the request to do that; it can be done for the thread that opens, and those
 * which that one starts.  Closing undoes it, for those signals that were not blocked
 * before, in the same thread only: another thread's mask is out of reach.
 *
 * What has come by then and was not received is dropped: let through, an unread RTMIN
 * would end the process that has just closed a link.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "link/signal.h"
#include "sys/files.h"
#include "sys/signals.h"
#include "sys/stream.h"

/* Those that a link of this process receives; a bit is one link's. */
static uint64_t taken;

/* --- which --------------------------------------------------------------------- */

static int refuse(int number, const char *name)
{
	switch (number) {
	case SIGKILL:
	case SIGSTOP:
		return ferryi_fail(-EINVAL,
				   "%s cannot be received: the kernel lets "
				   "nobody block it",
				   name);
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
	case SIGSYS:
		return ferryi_fail(-EINVAL,
				   "%s cannot be received: it is raised by an "
				   "instruction of the thread itself, and "
				   "blocked it ends the process (a handler "
				   "can catch it)",
				   name);
	}
	return 0;
}

/* One name of the list, which ends with a comma or the list. */
static int add_one(const char *from, size_t len, uint64_t *set)
{
	char name[FERRY_SIGNAL_NAME_MAX + 4];
	int n, err;

	if (len >= sizeof name)
		len = sizeof name - 1;
	memcpy(name, from, len);
	name[len] = 0;
	n = ferryi_signal_parse(name);
	if (n < 0)
		return n;
	err = refuse(n, name);
	*set |= ferryi_signal_bit(n);
	return err;
}

static int parse_list(const char *list, uint64_t *set)
{
	size_t len;
	int err = 0;

	*set = 0;
	if (!list || !*list)
		return ferryi_fail(-EINVAL, "signal:self needs to know which "
					    "signals (write "
					    "signal:self?signals=USR1,RTMIN)");
	while (!err) {
		len = strcspn(list, ",");
		err = add_one(list, len, set);
		if (!list[len])
			break;
		list += len + 1;
	}
	return err;
}

/* --- blocked and given back ---------------------------------------------------- */

static int in_use(uint64_t which)
{
	char name[FERRY_SIGNAL_NAME_MAX] = "?";

	for (int n = 1; n <= 64; n++)
		if (which & ferryi_signal_bit(n)) {
			ferry_signal_name(n, name);
			break;
		}
	return ferryi_fail(-EBUSY,
			   "signal:self: another link of this process receives "
			   "%s (close it, or receive it there)",
			   name);
}

int ferryi_signal_receive(struct ferry_link *l, const char *list)
{
	struct ferryi_signals *s = ferryi_signals_of(l);
	uint64_t set, others;
	int err = parse_list(list, &set);

	if (err)
		return err;
	others = __atomic_fetch_or(&taken, set, __ATOMIC_SEQ_CST) & set;
	if (others) {
		__atomic_fetch_and(&taken, ~(set & ~others), __ATOMIC_SEQ_CST);
		return in_use(others);
	}
	s->fd = ferryi_signals_open(set);
	err = s->fd < 0 ? s->fd : ferryi_signals_block(set, &s->fresh);
	if (err) {
		if (s->fd >= 0)
			ferryi_close(s->fd);
		__atomic_fetch_and(&taken, ~set, __ATOMIC_SEQ_CST);
		return ferryi_fail_sys(-err, "signal:self: no descriptor: %s",
				       strerror(-err));
	}
	s->set = set;
	s->thread = pthread_self();
	s->opened = true;
	return 0;
}

void ferryi_signal_release(struct ferryi_signals *s)
{
	if (!s->set)
		return;
	if (pthread_equal(s->thread, pthread_self()))
		ferryi_signals_drop(s->fresh);
	__atomic_fetch_and(&taken, ~s->set, __ATOMIC_SEQ_CST);
}

/* --- messages ------------------------------------------------------------------ */

static enum ferry_signal_origin origin_of(const struct ferryi_signal_info *i)
{
	switch (i->code) {
	case SI_USER:
	case SI_QUEUE:
	case SI_TKILL: return FERRY_FROM_PROCESS;
	case SI_TIMER: return FERRY_FROM_TIMER;
	case SI_MESGQ: return FERRY_FROM_QUEUE;
	case SI_ASYNCIO:
	case SI_SIGIO: return FERRY_FROM_IO;
	}
	if (i->number == SIGCHLD && i->code > 0 && i->code < SI_KERNEL)
		return FERRY_FROM_CHILD;
	if (i->number == SIGIO && i->code > 0 && i->code < SI_KERNEL)
		return FERRY_FROM_IO;
	return i->code < 0 ? FERRY_FROM_PROCESS : FERRY_FROM_KERNEL;
}

/*
 * A signal is read when it is delivered, and only then: what was looked at stays in
 * the kernel, where it is this process's and not a forked child's, and pending if the
 * link is closed.  Its length is known without reading.
 */
static int look(struct ferry_link *l)
{
	return ferryi_fd_ready(ferryi_signals_of(l)->fd, POLLIN) ? 0 : -EAGAIN;
}

static int fetch(struct ferry_link *l, struct ferry_signal *out)
{
	struct ferryi_signal_info i;
	int err = ferryi_signals_read(ferryi_signals_of(l)->fd, &i);

	if (err == -EAGAIN)
		return err;
	if (err)
		return ferryi_fail_sys(-err, "%s: cannot be read: %s",
				       l->address, strerror(-err));
	*out = (struct ferry_signal){ .number = i.number,
				      .code = i.code,
				      .origin = (int32_t)origin_of(&i),
				      .pid = (pid_t)i.pid,
				      .uid = i.uid,
				      .status = i.status,
				      .value = i.value,
				      .overrun = i.overrun,
				      .wide = i.wide };
	return 0;
}

/*
 * The kernel fills in who called kill(2) or tkill(2), and nobody else may use their
 * codes, nor a code of the kernel's own.  The other negative codes, and what comes
 * with them, are written by the process that sends.
 */
static enum ferry_proof proof_of(const struct ferry_signal *s)
{
	return s->code >= 0 || s->code == SI_TKILL ? FERRY_KERNEL :
						     FERRY_CLAIMED;
}

ssize_t ferryi_signal_next_len(struct ferry_link *l)
{
	int err = look(l);

	return err ? err : (ssize_t)sizeof(struct ferry_signal);
}

ssize_t ferryi_signal_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferry_signal s = { 0 };
	int err;

	if (size < sizeof s) {
		err = look(l);
		return err ? err : -EMSGSIZE;
	}
	err = fetch(l, &s);
	if (err)
		return err;
	memcpy(buf, &s, sizeof s);
	return sizeof s;
}

int ferryi_signal_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_signals *s = ferryi_signals_of(l);
	struct ferry_signal next = { 0 };
	int err = look(l);

	if (!err)
		err = ferryi_copies_new(&s->copies, l, sizeof next, m);
	if (err)
		return err;
	err = fetch(l, &next);
	if (err) {
		ferryi_copies_drop(&s->copies, m);
		return err;
	}
	memcpy(m->data, &next, sizeof next);
	m->type = (uint32_t)next.number;
	m->sender.pid = next.pid;
	m->sender.uid = next.uid;
	m->sender.proof = proof_of(&next);
	return 0;
}
