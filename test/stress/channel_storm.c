/* SPDX-License-Identifier: MIT */
/*
 * A storm of SIGKILL over channels: again and again two processes meet, talk, and
 * one of them is killed at a random moment.
 *
 *   channel-storm [--seconds 60] [--kills N] [--pairs 4] [--seed N]
 *
 * When who sends was killed, the other one has received all that was accepted, and
 * at most one more, whole and in order, and then was told of the death.  When who
 * receives was killed, the sender was told.  Each in time, whatever the way of the
 * channel; and at the end nothing is left in the realm.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ferry.h>

#include "look.h"
#include "payload.h"
#include "scratch.h"

#define MAX_PAIRS 16
#define STALL_S	  5

/* The ring is chosen by who connects, the rest by both. */
static const struct way {
	const char *both, *connects;
} ways[] = {
	{ "", "" },
	{ "", "?ring=16K" },
	{ "?capacity=0", "" },
	{ "?direction=half", "" },
	{ "?direction=half", "&ring=16K" },
};
#define N_WAYS (sizeof ways / sizeof ways[0])

/* What a pair tells, in memory that no kill can take away. */
struct talk {
	_Alignas(64) volatile long accepted;
	volatile long received, damaged;
	volatile int told, listening;
};

static struct board {
	struct talk talk[MAX_PAIRS];
	_Alignas(64) long kills, messages, faults, stalls;
} * board;

static struct {
	double seconds;
	long kills;
	int pairs;
	unsigned seed;
} opt = { .seconds = 60, .pairs = 4, .seed = 1 };

static struct scratch scratch;

/* --- the two who talk --------------------------------------------------------- */

struct meeting {
	struct talk *talk;
	char address[80], door[80];
	unsigned seed;
	bool with_descriptors;
};

/* Now and then beyond half of a small ring, where that can be sent. */
static size_t size_of(const struct meeting *m, long id)
{
	return id % 50 == 49 && !strstr(m->address, "capacity") ?
		       9000 :
		       16 + (size_t)(id * 7919 % 700);
}

static int send_one(const struct meeting *m, struct ferry_link *l, long id)
{
	static char buf[1 << 14];
	size_t size = size_of(m, id);
	int out = STDERR_FILENO;

	payload_fill(buf, size, id);
	return m->with_descriptors && id % 5 == 0 ?
		       ferry_send_fds(l, buf, size, &out, 1, FERRY_FOREVER) :
		       ferry_send(l, buf, size, FERRY_FOREVER);
}

static _Noreturn void be_sender(const struct meeting *m)
{
	struct ferry_link *l;
	int r = ferry_open(&l, m->address, FERRY_DUPLEX);

	for (long id = 0; r == 0; id++) {
		r = send_one(m, l, id);
		m->talk->accepted += r == 0;
	}
	m->talk->told = r;
	_exit(0);
}

static _Noreturn void be_receiver(const struct meeting *m)
{
	struct ferry_link *door, *l;
	static char buf[1 << 14];
	int r = ferry_listen(&door, m->door);
	ssize_t n;

	m->talk->listening = r == 0 ? 1 : -1;
	if (r == 0)
		r = ferry_accept(door, &l, FERRY_FOREVER);
	for (long id = 0; r == 0; id++) {
		n = ferry_recv(l, buf, sizeof buf, FERRY_FOREVER);
		r = n < 0 ? (int)n : 0;
		if (n < 0)
			break;
		m->talk->damaged +=
			payload_check(buf, (size_t)n, size_of(m, id)) != id;
		m->talk->received++;
	}
	m->talk->told = r;
	_exit(0);
}

static pid_t start(void (*be)(const struct meeting *), const struct meeting *m)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be(m);
	}
	return pid;
}

/* --- one meeting ----------------------------------------------------------------- */

static void complain(const struct meeting *m, const char *what)
{
	printf("FAULT at %s (%ld accepted, %ld received, told %s): %s\n",
	       m->address, m->talk->accepted, m->talk->received,
	       ferry_error_name(m->talk->told), what);
	fflush(stdout);
	__atomic_add_fetch(&board->faults, 1, __ATOMIC_SEQ_CST);
}

static bool await(pid_t pid)
{
	double until = look_clock() + STALL_S;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (look_clock() > until)
			return false;
		look_pause_us(50);
	}
	return true;
}

static bool await_door(const struct talk *t)
{
	double until = look_clock() + STALL_S;

	while (t->listening == 0 && look_clock() < until)
		look_pause_us(20);
	return t->listening == 1;
}

static void judge(const struct meeting *m, bool sender_died)
{
	const struct talk *t = m->talk;

	if (t->damaged)
		complain(m, "a message is damaged, or out of order");
	if (t->told != -ECONNRESET)
		complain(m, "the survivor was not told of the death");
	if (sender_died && t->received < t->accepted)
		complain(m, "what was accepted is lost");
	if (t->received > t->accepted + 1)
		complain(m, "more was received than sent");
}

static void meet(struct meeting *m)
{
	bool sender_dies;
	pid_t sender, receiver;

	memset(m->talk, 0, sizeof *m->talk);
	m->with_descriptors = rand_r(&m->seed) % 2 &&
			      !strstr(m->address, "capacity");
	receiver = start(be_receiver, m);
	if (!await_door(m->talk))
		complain(m, "nobody can listen");
	sender = start(be_sender, m);
	look_pause_us((unsigned)rand_r(&m->seed) % 2000);
	/* who is killed before they have met leaves one who waits for others */
	while (m->talk->accepted == 0 && m->talk->told == 0)
		look_pause_us(20);
	sender_dies = rand_r(&m->seed) % 2;
	kill(sender_dies ? sender : receiver, SIGKILL);
	waitpid(sender_dies ? sender : receiver, NULL, 0);
	__atomic_add_fetch(&board->kills, 1, __ATOMIC_SEQ_CST);
	if (!await(sender_dies ? receiver : sender)) {
		complain(m, "the survivor does not hear of the death");
		__atomic_add_fetch(&board->stalls, 1, __ATOMIC_SEQ_CST);
		kill(sender_dies ? receiver : sender, SIGKILL);
		waitpid(sender_dies ? receiver : sender, NULL, 0);
	}
	judge(m, sender_dies);
	__atomic_add_fetch(&board->messages, m->talk->received,
			   __ATOMIC_SEQ_CST);
}

static bool over(double until)
{
	return look_clock() > until || board->faults > 10 ||
	       (opt.kills && board->kills >= opt.kills);
}

static _Noreturn void drive(int pair)
{
	double until = look_clock() + opt.seconds;
	struct meeting m = { .talk = &board->talk[pair],
			     .seed = opt.seed * 1000 + (unsigned)pair };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; !over(until); i++) {
		const struct way *w = &ways[(i + (unsigned)pair) % N_WAYS];

		snprintf(m.door, sizeof m.door, "channel:storm%d%s", pair,
			 w->both);
		snprintf(m.address, sizeof m.address, "channel:storm%d%s%s",
			 pair, w->both, w->connects);
		meet(&m);
	}
	_exit(0);
}

/* --- all of it --------------------------------------------------------------------- */

/* The doors of the dead, which who listens replaces and gc removes. */
static int count_left(void)
{
	struct ferry_garbage *g = NULL;
	char left[200];
	size_t n;

	ferry_gc(NULL, true, &g, &n);
	ferry_free(g);
	if (scratch_names(&scratch, left, sizeof left) == 0)
		return 0;
	printf("LEFT BEHIND: %s\n", left);
	return 1;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", 1, 0, 's' },
		{ "kills", 1, 0, 'k' },
		{ "pairs", 1, 0, 'p' },
		{ "seed", 1, 0, 'r' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt.seconds = atof(optarg); break;
		case 'k': opt.kills = atol(optarg); break;
		case 'p': opt.pairs = atoi(optarg); break;
		case 'r': opt.seed = (unsigned)atol(optarg); break;
		default: exit(2);
		}
	}
	if (opt.pairs < 1 || opt.pairs > MAX_PAIRS)
		exit(2);
}

int main(int argc, char **argv)
{
	int left;

	parse(argc, argv);
	scratch_make(&scratch, "channel-storm");
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < opt.pairs; i++)
		if (fork() == 0)
			drive(i);
	while (wait(NULL) > 0)
		;
	left = count_left();
	printf("storm of channels: %d pairs, seed %u: %ld kills, %ld messages "
	       "received; %ld faults, %ld stalls, %d left behind\n",
	       opt.pairs, opt.seed, board->kills, board->messages,
	       board->faults, board->stalls, left);
	scratch_remove(&scratch);
	return board->faults || left || !board->messages;
}
