/* SPDX-License-Identifier: MIT */
/*
 * A storm over one topic: processes publish and subscribe, and are killed, stopped
 * and replaced at random.
 *
 *	storm-topic [--seconds 10] [--seed N]
 *
 * Every publisher numbers its messages.  Who blocks must see each of them, from its
 * first on, without a gap and in order; who may miss some must see them in order and
 * whole.  At the end what was accepted has been read by those who block, nobody
 * subscribes, and every chunk can be had.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ferry.h>

#include "look.h"
#include "scratch.h"

#define NAME	   "topic:storm"
#define MADE	   NAME "?capacity=16&max=256"
#define SPARES	   64 /* chunks beside the ring */
#define PUBLISHERS 3
#define CHILDREN   8
#define IDS	   100000u
#define LAST	   UINT32_MAX

struct said {
	uint32_t id, number;
	uint32_t filler[30]; /* follows from the two */
};

static struct board {
	volatile uint32_t next_id, over;
	volatile uint32_t accepted[IDS]; /* by the publisher of that number */
	volatile uint64_t read_by_blockers, read_by_others;
	char what[200]; /* the first violation */
	volatile uint32_t faults;
} * board;

static const char *const policies[] = { "block", "block", "drop-old", "latest",
					"disconnect" };

static void violate(const char *what, uint32_t id, uint32_t number,
		    uint32_t wanted)
{
	if (__atomic_fetch_add(&board->faults, 1, __ATOMIC_SEQ_CST) == 0)
		snprintf(board->what, sizeof board->what,
			 "%s: %u of publisher %u, wanted %u", what, number, id,
			 wanted);
}

static void write_down(struct said *m, uint32_t id, uint32_t number)
{
	m->id = id;
	m->number = number;
	for (int i = 0; i < 30; i++)
		m->filler[i] = id * 31 + number * 7 + (uint32_t)i;
}

static bool is_whole(const struct said *m)
{
	struct said again;

	write_down(&again, m->id, m->number);
	return memcmp(m, &again, sizeof again) == 0 && m->id < IDS;
}

/* --- the children ---------------------------------------------------------------- */

static void publish(void)
{
	uint32_t id = __atomic_fetch_add(&board->next_id, 1, __ATOMIC_SEQ_CST);
	struct ferry_link *l;
	struct said m;
	int r = 0;

	if (id >= IDS || ferry_open(&l, NAME, FERRY_SEND))
		_exit(3);
	for (uint32_t n = 0; !board->over && r == 0; n++) {
		write_down(&m, id, n);
		r = ferry_send(l, &m, sizeof m, FERRY_FOREVER);
		board->accepted[id] = n + (r == 0);
	}
	if (r != 0)
		violate("a publisher was told", id, 0, (uint32_t)-r);
	_exit(r != 0);
}

/* The next number of each publisher, as far as it is known. */
static void check_order(uint32_t *next, const struct said *m, bool blocks)
{
	uint32_t *wanted = &next[m->id];

	if (blocks && *wanted && m->number != *wanted - 1)
		violate("a gap", m->id, m->number, *wanted - 1);
	if (*wanted && m->number < *wanted - 1)
		violate("out of order", m->id, m->number, *wanted - 1);
	*wanted = m->number + 2;
}

/* Who has blocked to the end has seen all that was accepted since its first. */
static void check_all(const uint32_t *next)
{
	for (uint32_t id = 0; id < IDS; id++)
		if (next[id] && next[id] - 1 < board->accepted[id])
			violate("lost at the end", id, next[id] - 1,
				board->accepted[id]);
}

static ssize_t receive(struct ferry_link *l, struct said *out, unsigned way)
{
	struct ferry_message m;
	ssize_t r;

	if (way % 3)
		return ferry_recv(l, out, sizeof *out, FERRY_FOREVER);
	r = ferry_take(l, &m, FERRY_FOREVER);
	if (r < 0)
		return r;
	if (m.len == sizeof *out)
		memcpy(out, m.data, sizeof *out);
	r = ferry_release(&m);
	return r == 0 ? (ssize_t)sizeof *out : r == -ESTALE ? 0 : r;
}

static void subscribe(const char *policy)
{
	bool blocks = strcmp(policy, "block") == 0;
	uint32_t *next = calloc(IDS, sizeof *next);
	struct ferry_link *l;
	char address[80];
	struct said m = { 0 };
	ssize_t r;

	snprintf(address, sizeof address, NAME "?policy=%s&from=oldest",
		 policy);
	if (ferry_open(&l, address, FERRY_RECV))
		_exit(3);
	for (unsigned n = 0; m.number != LAST; n++) {
		r = receive(l, &m, n);
		if (r == -ECONNRESET)
			_exit(0); /* as it wanted */
		if (r < 0) {
			violate("a subscriber was told", m.id, m.number,
				(uint32_t)-r);
			_exit(4);
		}
		if (r == 0)
			continue; /* overwritten in place */
		if (!is_whole(&m))
			violate("damaged", m.id, m.number, 0);
		else if (m.number != LAST)
			check_order(next, &m, blocks);
		__atomic_fetch_add(blocks ? &board->read_by_blockers :
					    &board->read_by_others,
				   1, __ATOMIC_RELAXED);
	}
	if (blocks)
		check_all(next);
	ferry_close(l);
	_exit(0);
}

static pid_t start(int i)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (i < PUBLISHERS)
		publish();
	subscribe(policies[i - PUBLISHERS]);
	_exit(0);
}

/* --- the weather ----------------------------------------------------------------- */

static pid_t pids[CHILDREN];
static unsigned long kills, stops;

static void strike(int i)
{
	int status;

	if (rand() % 3 == 0) {
		kill(pids[i], SIGSTOP);
		look_pause_us((unsigned)(rand() % 3000));
		kill(pids[i], SIGCONT);
		stops++;
		return;
	}
	kill(pids[i], SIGKILL);
	waitpid(pids[i], &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		violate("a child gave up", (uint32_t)i, 0,
			(uint32_t)WEXITSTATUS(status));
	pids[i] = start(i);
	kills++;
}

static void end_children(struct ferry_link *l)
{
	struct said m;
	int status;

	board->over = 1;
	for (int i = 0; i < PUBLISHERS; i++) {
		waitpid(pids[i], &status, 0);
		if (status)
			violate("a publisher did not end well", (uint32_t)i, 0,
				(uint32_t)status);
	}
	write_down(&m, 0, LAST);
	if (ferry_send(l, &m, sizeof m, ferry_after(FERRY_S(30))))
		violate("nobody can publish the end", 0, LAST, 0);
	for (int i = PUBLISHERS; i < CHILDREN; i++) {
		waitpid(pids[i], &status, 0);
		if (status)
			violate("a subscriber did not end well", (uint32_t)i, 0,
				(uint32_t)status);
	}
}

static void audit(struct ferry_link *l)
{
	struct ferry_topic_stat st = { .size = sizeof st };
	struct ferry_link *more[SPARES];
	struct ferry_message m[SPARES];
	struct ferry_garbage *g;
	size_t n;

	if (ferry_gc(NULL, true, &g, &n) == 0)
		ferry_free(g);
	if (ferry_topic_stat(l, &st) || st.subscribers)
		violate("somebody still subscribes", 0, 0, st.subscribers);
	for (unsigned i = 0; i < SPARES; i++)
		if (ferry_open(&more[i], NAME, FERRY_SEND) ||
		    ferry_loan(more[i], 8, &m[i], FERRY_NOWAIT)) {
			violate("a chunk is lost", i, 0, SPARES);
			return;
		}
	for (unsigned i = 0; i < SPARES; i++)
		ferry_close(more[i]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seconds", 1, 0, 's' },
						 { "seed", 1, 0, 'n' },
						 { 0 } };
	double seconds = 10;
	unsigned seed = (unsigned)time(NULL);
	struct scratch scratch;
	struct ferry_link *l;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (opt) {
		case 's': seconds = atof(optarg); break;
		case 'n': seed = (unsigned)atol(optarg); break;
		default: return 2;
		}
	srand(seed);
	scratch_make(&scratch, "storm-topic");
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ferry_open(&l, MADE, FERRY_SEND))
		return 1;
	for (int i = 0; i < CHILDREN; i++)
		pids[i] = start(i);
	for (double end = look_clock() + seconds; look_clock() < end;) {
		look_pause_us((unsigned)(rand() % 8000));
		strike(rand() % CHILDREN);
	}
	end_children(l);
	audit(l);
	ferry_close(l);
	printf("seed %u: %lu kills, %lu stops, %u publishers, %llu messages "
	       "read by who blocks, %llu by others, %u violations%s%s\n",
	       seed, kills, stops, board->next_id,
	       (unsigned long long)board->read_by_blockers,
	       (unsigned long long)board->read_by_others, board->faults,
	       board->faults ? ": " : "", board->what);
	scratch_remove(&scratch);
	return board->faults != 0;
}
