/* SPDX-License-Identifier: MIT */
/*
 * ferry work NAME -- COMMAND...: run the command for each message.
 *
 * A message is acknowledged when its command exits 0, and requeued with a
 * growing delay when it fails or dies.  SIGTERM, SIGINT and SIGHUP drain: what
 * runs is finished, nothing more is taken; a second one gives back at once.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "address.h"
#include "opening.h"
#include "options.h"
#include "report.h"
#include "standard.h"
#include "verb.h"
#include "work.h"

static struct work work = {
	.o = { .slots = 1,
	       .count = UINT64_MAX,
	       .retries = UINT64_MAX,
	       .delay = FERRY_S(1),
	       .delay_max = FERRY_S(60),
	       .idle = -1 },
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.taking = PTHREAD_MUTEX_INITIALIZER,
};

static const struct option_row rows[] = {
	{ "jobs", 'j', OPTION_NUMBER, &work.o.slots, "COUNT",
	  "so many commands at a time (1)", NULL },
	{ "count", 'C', OPTION_NUMBER, &work.o.count, "COUNT",
	  "end after so many runs, with the last failure's status", NULL },
	{ "until-empty", 0, OPTION_FLAG, &work.o.until_empty, NULL,
	  "end when nothing is queued, delayed or held", NULL },
	{ "timeout", 't', OPTION_DURATION, &work.o.idle, "DURATION",
	  "end when there was nothing to do for so long", NULL },
	{ "nonblock", 'n', OPTION_FLAG, &work.o.nonblock, NULL,
	  "end when no message is ready (status 1 when none was)", NULL },
	{ "retries", 0, OPTION_NUMBER, &work.o.retries, "COUNT",
	  "then to the dead letters (else again for ever)", NULL },
	{ "delay", 0, OPTION_DURATION, &work.o.delay, "DURATION",
	  "before the first retry (1s); then twice as long each time", NULL },
	{ "max-delay", 0, OPTION_DURATION, &work.o.delay_max, "DURATION",
	  "no retry is delayed longer (1m)", NULL },
	{ "strict", 0, OPTION_FLAG, &work.o.strict, NULL,
	  "refuse a source that takes no message back", NULL },
	FRAMING_ROWS(work.o.framing),
	{ 0 },
};

static void parse(const struct verb *verb, int argc, char **argv)
{
	struct work_options *o = &work.o;
	int n = options_parse(verb, argc, argv);

	if (n < 2)
		usage_error("NAME and a COMMAND, please");
	if (o->slots < 1 || o->slots > WORK_SLOTS_MAX)
		usage_error("--jobs: from 1 to %d", WORK_SLOTS_MAX);
	if (o->nonblock && o->until_empty)
		usage_error("only one of -n and --until-empty");
	o->name = argv[1];
	o->command = argv + 2;
	o->retries_given = o->retries != UINT64_MAX;
	atomic_store(&work.tickets, o->count);
}

static int find_command(struct work *w)
{
	int status;

	if (strstr(w->o.command[0], "{}"))
		return 0;
	w->path = command_find(w->o.command[0], &status);
	if (w->path)
		return 0;
	return report(
		w->o.command[0], status, "%s",
		status == STATUS_NOT_FOUND ?
			"there is no such command (no message was taken)" :
			"it is not executable (no message was taken)");
}

/* Nothing is lost silently: what cannot come back is told before it is taken. */
static int check_returns(struct work *w)
{
	if (w->returns)
		return 0;
	if (w->o.strict || w->o.retries_given)
		return report(
			w->o.name, STATUS_USAGE,
			"it takes no message back, so none is delivered "
			"again (leave %s out, or bring them to a mailbox: "
			"ferry pipe %s NAME)",
			w->o.strict ? "--strict" : "--retries", w->o.name);
	report(w->o.name, 0,
	       "a message whose command fails or is killed is not delivered "
	       "again: it takes none back (--strict refuses)");
	return 0;
}

/* Nothing may be lost by default: a limit needs a place for what exceeds it. */
static int check_dead_letters(struct work *w)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };
	int err;

	if (!w->o.retries_given)
		return 0;
	err = ferry_stat(w->link, &st);
	if (err < 0)
		return report_error(w->o.name, w->link, err);
	if (st.dead_letter[0])
		return 0;
	return report(w->o.name, STATUS_USAGE,
		      "--retries, but it has no dead-letter mailbox (make it "
		      "with: ferry mk --dead-letter NAME)");
}

/* Returns how many threads run. */
static unsigned start(struct work *w, struct work_slot *slots)
{
	unsigned i;
	int err;

	for (i = 0; i < w->o.slots; i++) {
		slots[i].work = w;
		slots[i].cell = &w->guard.cells[i];
		source_init(&slots[i].source, w->link, w->o.name, false);
		err = pthread_create(&slots[i].thread, NULL, slot_main,
				     &slots[i]);
		if (err) {
			work_stop(w, report_sys("thread", err));
			break;
		}
	}
	return i;
}

/* Wait until all slots have ended.  Returns the signal that hurried us. */
static int supervise(struct work *w, unsigned n, int signal_fd)
{
	struct pollfd fds[] = { { .fd = signal_fd, .events = POLLIN },
				{ .fd = w->ended_fd, .events = POLLIN } };
	struct signalfd_siginfo info;
	int hurried = 0;
	eventfd_t ended;

	while (n) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents && !eventfd_read(w->ended_fd, &ended))
			n -= (unsigned)ended;
		if (!fds[0].revents ||
		    read(signal_fd, &info, sizeof info) != sizeof info)
			continue;
		if (atomic_load(&w->stopping)) {
			hurried = (int)info.ssi_signo;
			run_kill_all(w);
		}
		note("%s: %s", w->o.name,
		     hurried ?
			     "giving back at once" :
			     "finishing what runs (again: give back at once)");
		work_stop(w, 0);
	}
	return hurried;
}

static int verdict(const struct work *w, int hurried)
{
	if (w->status)
		return w->status;
	if (hurried)
		return STATUS_SIGNAL + hurried;
	if (w->o.count != UINT64_MAX && w->last_failure)
		return w->last_failure;
	if (w->n_taken || w->stopping || w->o.until_empty)
		return 0;
	return w->o.nonblock  ? STATUS_NO :
	       w->o.idle >= 0 ? STATUS_TIMED_OUT :
				0;
}

static int run_slots(struct work *w, int signal_fd)
{
	struct work_slot *slots = calloc(w->o.slots, sizeof *slots);
	unsigned n;
	int hurried;

	if (!slots)
		return report_sys(w->o.name, ENOMEM);
	atomic_store(&w->active_at, ferry_after(0));
	n = start(w, slots);
	hurried = supervise(w, n, signal_fd);
	while (n) {
		pthread_join(slots[--n].thread, NULL);
		source_fini(&slots[n].source);
	}
	free(slots);
	return verdict(w, hurried);
}

static int block_signals(struct work *w)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t ours;

	/* Inherited as ignored it would reap our children for us. */
	sigaction(SIGCHLD, &standard, NULL);
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ours, &w->mask);
	return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_source(struct work *w)
{
	const struct ferry_transport_info *t = address_transport(w->o.name);
	const char *framing = framing_key(&w->o.framing);
	const struct patience patience = { w->o.idle, w->o.nonblock };
	char address[ADDRESS_SIZE];
	int err;

	if (framing && !address_is_stream(t, w->o.name))
		usage_error("%s does not carry bytes for sure (leave the "
			    "framing out, or add ?framing=%s to fd:N)",
			    w->o.name, framing);
	err = open_patiently(&w->link,
			     address_framed(address, w->o.name, framing),
			     FERRY_RECV, &patience);
	if (err < 0)
		return opening_failed(w->o.name, err, &patience);
	w->returns = !t || t->promises & FERRY_CAN_REDELIVER;
	return check_returns(w);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct work *w = &work;
	int err, status, signal_fd;

	parse(verb, argc, argv);
	status = find_command(w);
	if (status)
		return status;
	standard_open();
	err = guard_start(&w->guard, (unsigned)w->o.slots);
	if (err < 0)
		return report_sys("guard", -err);
	status = open_source(w); /* which a signal ends as it ends anything */
	signal_fd = block_signals(w);
	w->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!status && (signal_fd < 0 || w->ended_fd < 0))
		status = report_sys(w->o.name, EMFILE);
	if (!status)
		status = check_dead_letters(w);
	if (!status)
		status = run_slots(w, signal_fd);
	ferry_close(w->link);
	guard_stop(&w->guard);
	return status;
}

const struct verb verb_work = {
	.name = "work",
	.operands = "NAME [--] COMMAND [ARGUMENT...]",
	.summary = "run a command for each message",
	.options = rows,
	.run = run,
	.command_at = 1,
};
