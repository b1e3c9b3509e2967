/* SPDX-License-Identifier: MIT */
/*
 * A storm of random SIGKILL over senders and receivers, with every message
 * accounted for.
 *
 *   storm [--seconds 60] [--kills N] [--senders 4] [--receivers 4]
 *         [--capacity 16] [--seed N] [--wild] [--stops] [--cpus N]
 *
 * Quiet, the default: after each kill nobody is killed or started until the
 * survivors have passed some messages on, so that a hang cannot be rescued by
 * the next kill.  Wild: a kill every moment, whatever the others do.  The
 * safety net is off, so only the bell of the dead can wake those who wait.
 *
 * Exit status 0 when every message that was accepted was delivered, once
 * unless marked, undamaged, and nothing leaked; 1 otherwise.
 */
#include "storm.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
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
#include "scratch.h"

#define MAX_WORKERS 64
/* What the survivors must get through after a kill, and in what time. */
#define PROGRESS 40
#define STALL_S	 5.0
/* As many are stopped at a time. */
#define MAX_HALTED 3

static struct {
	double seconds;
	long kills; /* at most; 0: as the time goes */
	int senders, receivers;
	unsigned long capacity;
	unsigned seed;
	bool wild, stops;
	int cpus;
} opt = {
	.seconds = 60, .senders = 4, .receivers = 4, .capacity = 16, .seed = 1
};

static struct storm *storm;
static int storm_fd;
static pid_t worker[MAX_WORKERS];
static long kills, stalls, slow, stops;
static int halted[MAX_HALTED], n_halted;
static double max_gap;
static unsigned dice;
static char program[] = "storm", role_option[] = "--role";
static char sender[] = "sender", receiver[] = "receiver";

static void start(int i)
{
	char fd[16], seed[16];
	char *argv[] = {
		program, role_option, i < opt.senders ? sender : receiver,
		fd,	 seed,	      NULL
	};

	snprintf(fd, sizeof(fd), "%d", storm_fd);
	snprintf(seed, sizeof(seed), "%u", rand_r(&dice));
	worker[i] = fork();
	if (worker[i])
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static void end(int i)
{
	kill(worker[i], SIGKILL);
	waitpid(worker[i], NULL, 0);
}

static uint64_t received(void)
{
	return __atomic_load_n(&storm->received, __ATOMIC_SEQ_CST);
}

/* The survivors go on without help. */
static void await_progress(void)
{
	uint64_t before = received();
	double began = look_clock(), gap;

	do {
		look_pause_us(20);
		gap = look_clock() - began;
	} while (received() < before + PROGRESS && gap < STALL_S &&
		 storm->next < STORM_IDS);
	if (gap > max_gap)
		max_gap = gap;
	slow += gap > 0.1;
	if (gap < STALL_S)
		return;
	stalls++;
	printf("STALL: %d messages in %.0f s after kill %ld\n",
	       (int)(received() - before), gap, kills);
}

static void halt_some(int n)
{
	while (n_halted < MAX_HALTED && rand_r(&dice) % 2) {
		int i = rand_r(&dice) % n;

		kill(worker[i], SIGSTOP);
		halted[n_halted++] = i;
		stops++;
	}
}

/* Some of them have been killed meanwhile: then their successor is not stopped. */
static void let_go_on(void)
{
	while (n_halted > 0)
		kill(worker[halted[--n_halted]], SIGCONT);
}

/* Mostly shorter than a time slice, now and then longer. */
static unsigned moment_us(void)
{
	unsigned most = opt.wild ? 3000 : 300;

	if (opt.stops && rand_r(&dice) % 16 == 0)
		most = 20000;
	return (unsigned)rand_r(&dice) % most;
}

static void rage(int n)
{
	double until = look_clock() + opt.seconds;

	while (look_clock() < until && storm->next < STORM_IDS && stalls < 3 &&
	       (!opt.kills || kills < opt.kills)) {
		int i = rand_r(&dice) % n;
		bool check = !opt.wild || kills % 100 == 99;

		if (opt.stops)
			halt_some(n);
		look_pause_us(moment_us());
		end(i);
		kills++;
		if (check || rand_r(&dice) % 4 == 0)
			let_go_on();
		if (check && !opt.wild)
			await_progress();
		start(i);
		if (check && opt.wild)
			await_progress();
	}
	let_go_on();
}

/* Senders leave by themselves; receivers are of no use then. */
static void calm_down(void)
{
	double until = look_clock() + 20;

	__atomic_store_n(&storm->stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < opt.senders; i++) {
		while (waitpid(worker[i], NULL, WNOHANG) == 0) {
			if (look_clock() > until) {
				printf("STALL: a sender does not end\n");
				stalls++;
				end(i);
				break;
			}
			look_pause_us(1000);
		}
	}
	for (int i = opt.senders; i < opt.senders + opt.receivers; i++)
		end(i);
}

static void repair(void)
{
	struct ferry_garbage *g = NULL;
	size_t n;

	ferry_gc(NULL, true, &g, &n);
	ferry_free(g);
}

static void drain(struct ferry_link *box)
{
	struct ferry_message m;
	ferry_time end = ferry_after(FERRY_MS(50));

	while (ferry_take(box, &m, end) == 0) {
		storm_deliver(storm, &m);
		ferry_release(&m);
		end = ferry_after(FERRY_MS(50));
	}
}

/* Everything that was there at the beginning is there again. */
static int count_leaks(struct ferry_link *box)
{
	struct ferry_mailbox_stat st = { .size = sizeof(st) };
	unsigned long n = 0;
	int leaks = 0;

	if (ferry_stat(box, &st) || st.queued || st.held || st.returned ||
	    st.loaned || st.users != 1) {
		printf("LEAK: queued %d held %d returned %d loaned %d users "
		       "%u\n",
		       (int)st.queued, (int)st.held, (int)st.returned,
		       (int)st.loaned, st.users);
		leaks++;
	}
	while (n <= opt.capacity && ferry_send(box, "", 0, FERRY_NOWAIT) == 0)
		n++;
	if (n != opt.capacity) {
		printf("LEAK: %lu of %lu messages fit\n", n, opt.capacity);
		leaks++;
	}
	return leaks;
}

static int settle(int leaks)
{
	uint64_t accepted = 0, lost = 0, unknown = 0;
	uint64_t bad;

	for (uint64_t i = 0; i < storm->next && i < STORM_IDS; i++) {
		uint8_t m = storm->mark[i];

		accepted += m & MARK_ACCEPTED;
		lost += (m & MARK_ACCEPTED) && !(m & MARK_DELIVERED);
		unknown += !(m & MARK_ACCEPTED) && (m & MARK_DELIVERED);
	}
	printf("%s storm: %d senders, %d receivers, %lu places, seed %u: "
	       "%ld kills, %ld stops, %lu accepted, %lu delivered of the dead's, "
	       "%lu redelivered; %lu lost, %lu unmarked duplicates, "
	       "%lu after ack, %lu damaged, %lu refused, %d leaked, "
	       "%ld stalls, longest gap %.1f ms, %ld over 100 ms\n",
	       opt.wild ? "wild" : "quiet", opt.senders, opt.receivers,
	       opt.capacity, opt.seed, kills, stops, accepted, unknown,
	       storm->redelivered, lost, storm->unmarked, storm->after_ack,
	       storm->damaged, storm->refused, leaks, stalls, max_gap * 1e3,
	       slow);
	if (storm->refused)
		printf("the first refusal: %s\n", storm->first);
	bad = lost + storm->unmarked + storm->after_ack + storm->damaged +
	      storm->refused + (uint64_t)leaks + (uint64_t)stalls;
	return bad || !accepted;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", 1, 0, 's' },  { "kills", 1, 0, 'k' },
		{ "senders", 1, 0, 'S' },  { "receivers", 1, 0, 'R' },
		{ "capacity", 1, 0, 'c' }, { "seed", 1, 0, 'r' },
		{ "wild", 0, 0, 'w' },	   { "stops", 0, 0, 't' },
		{ "cpus", 1, 0, 'n' },	   { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt.seconds = atof(optarg); break;
		case 'k': opt.kills = atol(optarg); break;
		case 'S': opt.senders = atoi(optarg); break;
		case 'R': opt.receivers = atoi(optarg); break;
		case 'c': opt.capacity = strtoul(optarg, NULL, 10); break;
		case 'r': opt.seed = (unsigned)atol(optarg); break;
		case 'w': opt.wild = true; break;
		case 't': opt.stops = true; break;
		case 'n': opt.cpus = atoi(optarg); break;
		default: exit(2);
		}
	}
	if (opt.senders < 2 || opt.receivers < 2 ||
	    opt.senders + opt.receivers > MAX_WORKERS)
		exit(2);
}

static void crowd_on(int cpus)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < cpus; i++)
		CPU_SET(i, &set);
	if (cpus && sched_setaffinity(0, sizeof(set), &set))
		perror("storm: --cpus");
}

static struct storm *map_ledger(int fd)
{
	void *p = mmap(NULL, sizeof(struct storm), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		perror("the ledger");
		exit(2);
	}
	return p;
}

/* storm --role sender|receiver FD SEED */
static int be_worker(char **argv)
{
	unsigned seed = (unsigned)strtoul(argv[4], NULL, 10);

	storm = map_ledger(atoi(argv[3]));
	return strcmp(argv[2], "sender") == 0 ? storm_sender(storm, seed) :
						storm_receiver(storm, seed);
}

int main(int argc, char **argv)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *box;
	struct scratch scratch;
	int n, bad;

	if (argc == 5 && strcmp(argv[1], "--role") == 0)
		return be_worker(argv);
	parse(argc, argv);
	crowd_on(opt.cpus);
	setenv("FERRY_NET_MS", "0", 1);
	scratch_make(&scratch, "storm");
	dice = opt.seed;
	storm_fd = memfd_create("storm-ledger", 0);
	if (ftruncate(storm_fd, sizeof(struct storm)))
		return 2;
	storm = map_ledger(storm_fd);
	o.capacity = opt.capacity;
	bad = ferry_mailbox_create(&box, STORM_BOX, &o);
	if (bad) {
		printf("cannot create: %s\n", ferry_error_name(bad));
		return 2;
	}
	n = opt.senders + opt.receivers;
	for (int i = 0; i < n; i++)
		start(i);
	rage(n);
	calm_down();
	repair();
	drain(box);
	bad = settle(count_leaks(box));
	ferry_close(box);
	repair();
	scratch_remove(&scratch);
	return bad;
}
