/* SPDX-License-Identifier: MIT */
/*
 * signal:PID, signal:-GROUP, signal:NAME to send, signal:self to receive.  See
 * <ferry/signal.h>.
 *
 * A full queue of the receiver cannot be polled for: a send looks again now and then,
 * and is woken when the receiver ends.
 */
#include "link/signal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "wire/address.h"

#define LOOK_AGAIN FERRY_MS(5)

static int open_to_receive(struct ferry_link *l, const struct ferryi_address *a)
{
	if (strcmp(a->rest, "self") != 0)
		return ferryi_fail(-EINVAL,
				   "signal:%.100s: a process receives its own "
				   "signals only (open signal:self)",
				   a->rest);
	if (ferryi_address_get(a, "signal"))
		return ferryi_fail(-EINVAL, "signal: signal= is for sending "
					    "(write signals=)");
	return ferryi_signal_receive(l, ferryi_address_get(a, "signals"));
}

static int open_to_send(struct ferry_link *l, const struct ferryi_address *a)
{
	const char *name = ferryi_address_get(a, "signal");
	int number = name ? ferryi_signal_parse(name) : SIGTERM;

	if (number < 0)
		return number;
	if (ferryi_address_get(a, "signals"))
		return ferryi_fail(-EINVAL, "signal: signals= is for receiving "
					    "(write signal=)");
	if (!*a->rest)
		return ferryi_fail(-EINVAL, "signal: needs to know to whom "
					    "(signal:PID, signal:-PGID, "
					    "signal:NAME)");
	ferryi_signals_of(l)->number = number;
	return ferryi_signal_find(l, a);
}

static int signal_open(struct ferry_link *l, const struct ferryi_address *a)
{
	return l->flags == FERRY_RECV ? open_to_receive(l, a) :
					open_to_send(l, a);
}

static void signal_fini(struct ferry_link *l)
{
	struct ferryi_signals *s = ferryi_signals_of(l);

	ferryi_signal_release(s);
	if (s->opened)
		ferryi_close(s->fd);
	ferryi_copies_fini(&s->copies);
}

static int signal_interest(struct ferry_link *l, enum ferryi_want want,
			   struct ferryi_wait *w)
{
	struct ferryi_signals *s = ferryi_signals_of(l);

	if (s->opened)
		ferryi_wait_fd(w, s->fd, POLLIN);
	if (want != FERRYI_WANT_RECV)
		ferryi_wait_tick(w, ferryi_now() + LOOK_AGAIN);
	return 0;
}

static int signal_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_signals *s = ferryi_signals_of(l);

	if (err != -EAGAIN && err != -ETIMEDOUT)
		return 0;
	if (s->set)
		return snprintf(buf, size, "%s: no signal has come",
				l->address);
	if (!s->full)
		return 0;
	return snprintf(buf, size,
			"%s: its user has as many signals waiting as it may "
			"(RLIMIT_SIGPENDING, ulimit -i)",
			l->address);
}

/* --- in place, which is a copy ------------------------------------------------- */

static int signal_loan(struct ferry_link *l, size_t len,
		       struct ferry_message *m)
{
	return ferryi_copies_new(&ferryi_signals_of(l)->copies, l, len, m);
}

static int signal_drop(struct ferry_link *l, struct ferry_message *m)
{
	return ferryi_copies_drop(&ferryi_signals_of(l)->copies, m);
}

static const struct ferryi_messages messages_of_signals = {
	.send = ferryi_signal_send,
	.recv = ferryi_signal_recv,
	.next_len = ferryi_signal_next_len,
	.loan = signal_loan,
	.commit = ferryi_signal_commit,
	.abandon = signal_drop,
	.take = ferryi_signal_take,
	.release = signal_drop,
};

const struct ferryi_transport ferryi_transport_signal = {
	.info = {
		.scheme = "signal",
		.summary = "signals as messages",
		.naming = "pid, -group, name; self receives",
		.framing = "a number, and 4 or 8 bytes",
		.direction = "one way",
		.buffering = "kernel, RLIMIT_SIGPENDING",
		.persistence = "process",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_MANY_SEND |
			    FERRY_CAN_NAME | FERRY_CAN_TYPE | FERRY_CAN_TICK,
	},
	.keys = "signal signals",
	.state_size = sizeof(struct ferryi_signals),
	.open = signal_open,
	.identify = ferryi_signal_identify,
	.fini = signal_fini,
	.interest = signal_interest,
	.explain = signal_explain,
	.messages = &messages_of_signals,
};
