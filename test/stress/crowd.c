/* SPDX-License-Identifier: MIT */
/*
 * Thousands of processes in one realm and one mailbox.
 *
 *   crowd [N]      1024
 *
 * Each of N processes, forked and not executed, opens the mailbox; when all are
 * in, each sends one message and takes one, with fewer places than processes,
 * so most of them wait.  One in eight holds what it took and is killed, all of
 * those at once; somebody else must get exactly what they held.  The others
 * close.  Nobody may be missed, and nothing may be left.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ferry.h>

#include "look.h"
#include "scratch.h"

#define MOST	  8000 /* leases of a realm, and some to spare */
#define CAPACITY  1024
#define HOLDER	  8  /* one in so many */
#define AT_A_TIME 32 /* are on their way in; all at once they take minutes */

static struct tally {
	int in, done, held, refused;
	char first[120];
	uint8_t acked[MOST], delivered[MOST];
} * tally;

static int n = 1024, faults;
static pid_t member[MOST];
/* A crowd waits for the end of a pipe: closing it wakes all of them. */
static int start_pipe[2], end_pipe[2];

static int add(int *p)
{
	return __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);
}

static int get(int *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void must(const char *call, int err)
{
	if (err == 0)
		return;
	if (add(&tally->refused) == 1)
		snprintf(tally->first, sizeof(tally->first), "%s said %s", call,
			 ferry_error_name(err));
	_exit(1);
}

static void fault(const char *what, long is, long ought)
{
	printf("  %s: %ld, not %ld\n", what, is, ought);
	faults++;
}

static void await_end_of(const int *pipe)
{
	char c;

	while (read(pipe[0], &c, 1) < 0 && errno == EINTR)
		;
}

static void be_member(int i)
{
	struct ferry_link *box;
	struct ferry_message m;
	int id;

	close(start_pipe[1]);
	close(end_pipe[1]);
	must("open", ferry_open(&box, "crowd", FERRY_DUPLEX));
	add(&tally->in);
	await_end_of(start_pipe);
	must("send", ferry_send(box, &i, sizeof(i), FERRY_FOREVER));
	must("take", ferry_take(box, &m, FERRY_FOREVER));
	id = *(int *)m.data;
	__atomic_fetch_add(&tally->delivered[id], 1, __ATOMIC_SEQ_CST);
	if (i % HOLDER == 0) {
		add(&tally->held);
		pause();
	}
	must("release", ferry_release(&m));
	tally->acked[id] = 1;
	add(&tally->done);
	await_end_of(end_pipe);
	ferry_close(box);
	_exit(0);
}

/* No limit of its own: the runner has one. */
static double await_count(int *count, int want)
{
	double began = look_clock();

	while (get(count) < want && get(&tally->refused) == 0)
		look_pause_us(1000);
	return look_clock() - began;
}

static bool hire(void)
{
	for (int i = 0; i < n; i++) {
		member[i] = fork();
		if (member[i] < 0) {
			printf("skipped: no %d processes here: %s\n", n,
			       strerror(errno));
			return false;
		}
		if (member[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			be_member(i);
		}
		await_count(&tally->in, i + 1 - AT_A_TIME);
	}
	return true;
}

static long memory_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && !kib && fgets(line, sizeof(line), f))
		sscanf(line, "MemAvailable: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

static void kill_holders(void)
{
	for (int i = 0; i < n; i += HOLDER)
		kill(member[i], SIGKILL);
	for (int i = 0; i < n; i += HOLDER)
		waitpid(member[i], NULL, 0);
}

/* What the dead held, once each; the bell or a look must bring it up. */
static double take_over(struct ferry_link *box, int want)
{
	double began = look_clock();
	struct ferry_message m;
	int got = 0, id;

	while (ferry_take(box, &m, ferry_after(got < want ? FERRY_S(60) : 0)) ==
	       0) {
		id = *(int *)m.data;
		if (tally->acked[id] || !m.redelivered)
			fault("a message that nobody held", id, -1);
		ferry_release(&m);
		tally->acked[id] = 1;
		got++;
	}
	if (got != want)
		fault("messages of the dead", got, want);
	return look_clock() - began;
}

static void let_go(void)
{
	int status;

	close(end_pipe[1]);
	for (int i = 0; i < n; i++) {
		if (i % HOLDER == 0)
			continue;
		waitpid(member[i], &status, 0);
		if (status)
			fault("status of a member", status, 0);
	}
}

static void check_end(struct ferry_link *box)
{
	struct ferry_mailbox_stat st = { .size = sizeof(st) };
	int fit = 0;

	for (int i = 0; i < n; i++)
		if (!tally->acked[i])
			fault("acknowledged of message", i, 1);
	if (ferry_stat(box, &st) || st.users != 1)
		fault("users", st.users, 1);
	if (st.queued + st.held + st.returned + st.loaned)
		fault("chunks in use",
		      (long)(st.queued + st.held + st.returned + st.loaned), 0);
	while (ferry_send(box, "", 0, FERRY_NOWAIT) == 0)
		fit++;
	if (fit != CAPACITY)
		fault("messages that fit", fit, CAPACITY);
}

static int run(struct ferry_link *box)
{
	int holders = (n + HOLDER - 1) / HOLDER;
	long memory = memory_kib();
	double began = look_clock(), in, exchange, death, leave;

	if (!hire())
		return 77;
	await_count(&tally->in, n);
	in = look_clock() - began;
	memory -= memory_kib();
	close(start_pipe[1]);
	exchange = await_count(&tally->done, n - holders);
	exchange += await_count(&tally->held, holders);
	kill_holders();
	death = take_over(box, holders);
	began = look_clock();
	let_go();
	leave = look_clock() - began;
	check_end(box);
	if (tally->refused)
		fault(tally->first, tally->refused, 0);
	printf("crowd: %d processes, %ld KiB each: all in after %.1f s, all "
	       "have sent and taken after %.1f s, what %d dead ones held was "
	       "taken after %.2f s, all gone after %.1f s; %d faults\n",
	       n, memory / n, in, exchange, holders, death, leave, faults);
	return faults ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct scratch scratch;
	struct ferry_link *box;
	int r;

	if (argc > 1)
		n = atoi(argv[1]);
	if (n < HOLDER || n > MOST)
		return 2;
	setenv("FERRY_NET_MS", "0", 1);
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED || pipe2(start_pipe, O_CLOEXEC) ||
	    pipe2(end_pipe, O_CLOEXEC))
		return 2;
	scratch_make(&scratch, "crowd");
	o.capacity = CAPACITY;
	o.message_max = 96;
	r = ferry_mailbox_create(&box, "crowd", &o);
	if (r) {
		printf("cannot create: %s\n", ferry_error_name(r));
		return 1;
	}
	r = run(box);
	ferry_close(box);
	scratch_remove(&scratch);
	return r;
}
