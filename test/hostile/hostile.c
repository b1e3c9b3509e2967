/* SPDX-License-Identifier: MIT */
/*
 * Rounds of a hostile writer against honest peers.
 *
 *   hostile [--writes 1000000] [--rounds 8] [--seed N]
 *
 * Each round has a realm of its own and one of four kinds: the mailbox or the
 * registry is written to, and either any byte of it or all but what is final.
 * While the writer writes, no peer may crash, no call may come back later than
 * 100 ms after its deadline, or say what is not documented.  A sanitizer's
 * report ends a peer, and so is a crash.
 *
 * Where nothing final was written, the mailbox must heal once the writer has
 * gone: after its peers have closed it and one `gc` they open it again, all
 * that is sent from now on is delivered, and who waits sleeps.  Once the peers
 * have ended, all places are there again.  Otherwise the realm must be fit for
 * use after what is damaged was removed.
 *
 * The exit status is 0 when all of that was so.
 */
#include "hostile.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"
#include "scratch.h"

#define PEERS (SENDERS + RECEIVERS + 1)
/* What takes so long hangs. */
#define HANG_S 20.0
/* A sleeper may use so much of a CPU. */
#define IDLE_SHARE 0.05

struct board *board;

static struct {
	uint64_t writes;
	int rounds;
	unsigned seed;
} opt = { 1000000, 8, 1 };

static struct scratch scratch;
static pid_t peer[PEERS];

static pid_t start(void (*be)(unsigned), unsigned seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	be(seed);
	_exit(0);
}

static void start_peers(unsigned seed)
{
	for (int i = 0; i < PEERS; i++)
		peer[i] = start(i < SENDERS   ? be_sender :
				i < PEERS - 1 ? be_receiver :
						be_looker,
				seed * 64 + (unsigned)i);
}

/* None of them ends by itself. */
static void check_alive(const char *when)
{
	for (int i = 0; i < PEERS; i++) {
		int status;

		if (!peer[i] || waitpid(peer[i], &status, WNOHANG) == 0)
			continue;
		violate("peer %d ended %s: %s %d", i, when,
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) :
					      WEXITSTATUS(status));
		peer[i] = 0;
	}
}

static void end_peers(void)
{
	for (int i = 0; i < PEERS; i++) {
		if (!peer[i])
			continue;
		kill(peer[i], SIGKILL);
		waitpid(peer[i], NULL, 0);
		peer[i] = 0;
	}
}

/* In a process of its own, which has seen nothing yet; false: it failed. */
static bool in_a_child(void (*run)(unsigned), unsigned arg, const char *what)
{
	double end = look_clock() + HANG_S * slow();
	pid_t pid = start(run, arg);
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (look_clock() > end) {
			violate("%s hangs", what);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		look_pause_us(300);
	}
	if (status)
		violate("%s ended with status %x", what, status);
	return status == 0;
}

static void gc(unsigned unused)
{
	struct ferry_garbage *g = NULL;
	size_t n;
	int r = ferry_gc(NULL, true, &g, &n);

	(void)unused;
	if (r < 0)
		violate("gc said %s", ferry_error_name(r));
	ferry_free(g);
}

static const char *path_of(enum target target)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", scratch.path,
		 target == MAILBOX ? BOX : ".ferry");
	return path;
}

static bool await_deliveries(void)
{
	double end = look_clock() + HANG_S * slow();
	int missing;

	do {
		missing = 0;
		for (int i = 0; i < AFTER_IDS; i++)
			missing += !board->accepted[i] || !board->delivered[i];
		look_pause_us(1000);
	} while (missing && look_clock() < end);
	if (missing)
		violate("with the writer gone %d of %d messages do not arrive",
			missing, AFTER_IDS);
	return !missing;
}

static void check_idle(void)
{
	int64_t cpu[RECEIVERS];

	for (int i = 0; i < RECEIVERS; i++)
		if (!look_await_futex(peer[SENDERS + i], HANG_S * slow()))
			violate("a receiver of an empty mailbox does not sleep");
	for (int i = 0; i < RECEIVERS; i++)
		cpu[i] = watch_cpu(peer[SENDERS + i]);
	look_pause_us(1000000);
	for (int i = 0; i < RECEIVERS; i++) {
		double s =
			(double)(watch_cpu(peer[SENDERS + i]) - cpu[i]) / 1e9;

		if (s > IDLE_SHARE * slow())
			violate("a sleeping receiver used %.3f s of CPU in 1 s",
				s);
	}
}

/* A newcomer finds the whole mailbox free and in order. */
static void check_capacity(unsigned unused)
{
	struct ferry_link *box = open_or_make();
	struct ferry_message m;
	uint64_t n = 0, x;
	int r;

	(void)unused;
	if (!box) {
		violate("the mailbox cannot be opened afterwards");
		return;
	}
	while ((r = ferry_take(box, &m, FERRY_NOWAIT)) == 0)
		ferry_release(&m);
	if (r != -EAGAIN)
		violate("the drain ended with %s", ferry_error_name(r));
	while (n <= CAPACITY &&
	       (r = ferry_send(box, &n, sizeof(n), FERRY_NOWAIT)) == 0)
		n++;
	if (n != CAPACITY || r != -EAGAIN)
		violate("%d of %d messages fit, then %s", (int)n, CAPACITY,
			ferry_error_name(r));
	for (uint64_t i = 0; i < n; i++)
		if (ferry_recv(box, &x, sizeof(x), FERRY_NOWAIT) != sizeof(x) ||
		    x != i)
			violate("message %d is not the next one", (int)i);
	ferry_close(box);
}

/* Whatever is there: it can be removed, and the realm used. */
static void start_over(unsigned target)
{
	struct ferry_link *box = NULL;
	int r = ferry_destroy(BOX);

	if (r) /* the damage, and the way that ferry-doctor(1) names */
		unlink(path_of(MAILBOX));
	if (target == REGISTRY)
		unlink(path_of(REGISTRY));
	r = make_box(&box);
	if (r)
		violate("a new mailbox after the damage: %s",
			ferry_error_name(r));
	ferry_close(box);
}

static void await_closed(void)
{
	double end = look_clock() + HANG_S * slow();

	__atomic_store_n(&board->phase, PHASE_CLOSE, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&board->closed, __ATOMIC_SEQ_CST) < PEERS) {
		if (look_clock() > end) {
			violate("a peer hangs with the writer gone");
			break;
		}
		look_pause_us(300);
	}
}

static void heal(void)
{
	await_closed();
	in_a_child(gc, 0, "gc");
	__atomic_store_n(&board->phase, PHASE_AFTER, __ATOMIC_SEQ_CST);
	if (await_deliveries())
		check_idle();
	check_alive("with the writer gone");
	end_peers();
	in_a_child(gc, 0, "gc");
	in_a_child(check_capacity, 0, "the check of the capacity");
}

static void attack(unsigned seed)
{
	enum target target = seed & 1 ? REGISTRY : MAILBOX;
	bool all = seed & 2;

	write_anything(path_of(target), target, all,
		       opt.writes / (unsigned)opt.rounds, seed);
}

static void run_round(unsigned seed)
{
	uint64_t before = board->violations;
	double end = look_clock() + 30 * HANG_S * slow();
	pid_t writer;

	memset(board->accepted, 0, sizeof(board->accepted));
	memset(board->delivered, 0, sizeof(board->delivered));
	board->next_id = 0;
	board->closed = 0;
	board->ready = 0;
	board->phase = PHASE_STORM;
	scratch_empty(&scratch);
	in_a_child(start_over, MAILBOX, "the start");
	start_peers(seed);
	writer = start(attack, seed);
	while (waitpid(writer, NULL, WNOHANG) == 0 && look_clock() < end) {
		look_pause_us(1000);
		check_alive("under attack");
	}
	check_alive("under attack");
	if (seed & 2) {
		end_peers();
		in_a_child(start_over, seed & 1 ? REGISTRY : MAILBOX,
			   "the removal");
		in_a_child(check_capacity, 0, "the check of the capacity");
	} else {
		heal();
	}
	if (board->violations > before)
		printf("round of seed %u: %s, %s: %d violations\n", seed,
		       seed & 1 ? "registry" : "mailbox",
		       seed & 2 ? "any byte" : "what heals",
		       (int)(board->violations - before));
}

static int report(void)
{
	for (uint64_t i = 0; i < board->violations && i < 8; i++)
		printf("  VIOLATION: %s\n", board->text[i]);
	printf("hostile: %d rounds from seed %u, %lu writes, %lu calls, of "
	       "which %lu did something, %lu violations, latest return "
	       "%.1f ms after its deadline\n",
	       opt.rounds, opt.seed, board->writes, board->calls, board->good,
	       board->violations, (double)board->late_ns / 1e6);
	return board->violations || !board->good;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "writes", 1, 0, 'w' },
		{ "rounds", 1, 0, 'n' },
		{ "seed", 1, 0, 'r' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'w': opt.writes = strtoull(optarg, NULL, 10); break;
		case 'n': opt.rounds = atoi(optarg); break;
		case 'r': opt.seed = (unsigned)atol(optarg); break;
		default: exit(2);
		}
	}
	if (opt.rounds < 1)
		exit(2);
}

int main(int argc, char **argv)
{
	int bad;

	parse(argc, argv);
	setenv("FERRY_NET_MS", "0", 1);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return 2;
	scratch_make(&scratch, "hostile");
	for (int i = 0; i < opt.rounds && board->violations < 100; i++)
		run_round(opt.seed * 4096 + (unsigned)i);
	bad = report();
	scratch_remove(&scratch);
	return bad;
}
