/* SPDX-License-Identifier: MIT */
/*
 * Kill a participant after every single instruction of every scenario, and
 * let the survivors audit.
 *
 *   crash                      all scenarios, every instruction
 *   crash --every              the same, and every turn of every long loop
 *   crash --stride 23 --seed 7 every 23rd, from a place that the seed chooses
 *   crash --most 100           about 100 kills a scenario, evenly spread
 *   crash --only "take"        scenarios whose name contains the words
 *   crash --only "take" --kill 120    that one kill
 *   crash --double 50000 --seed 7     so many pairs of kills, see double.c
 *
 * A scenario is first stepped to its end and recorded; then it is run once
 * for each recorded instruction and killed there (test/lib/step.h).  Workers,
 * one a CPU, share the list.
 *
 * Three things are thinned out unless --every is given, and counted: of what is
 * executed more than LOOP times (checksums, scans) only one in THIN, of a
 * scenario with a crowd, which takes long to gather, the same, and of the
 * instructions that were met by stepping but not at full speed, where the
 * others are quicker, only one in THIN is stepped to again.  Who stands for three
 * laps of the others does so after each of its instructions.
 *
 * The exit status is 0 when nothing was violated, 1 when something was, 77 where
 * single-stepping is not possible.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "look.h"

#define MAX_SCENARIOS 96
#define TRACE_MAX     400000
/* Of the pairs, a scenario without a crowd gets so many times as many. */
#define CROWD_WEIGHT 16

struct board {
	volatile int next_unit;
	struct tally tally[2 * MAX_SCENARIOS]; /* the second half: twice */
};

struct options opt = { .stride = 1, .kill = -1, .seed = 1 };
static struct board *board;
static struct bench bench;

static struct tally *tally_of(int scenario, bool twice)
{
	return &board->tally[scenario + (twice ? MAX_SCENARIOS : 0)];
}

static bool wanted(const struct scenario *sc)
{
	return !opt.only || strstr(sc->name, opt.only);
}

static void print_line(const struct scenario *sc, const struct tally *t,
		       bool twice)
{
	if (opt.pairs)
		printf("%6ld pairs %4ld missed  ", t->pairs, t->missed);
	printf("%s%-44s %6ld instructions %6ld kills %3d violations"
	       "  worst wake %7.2f ms  %5.1f s  %ld again  %ld aged  %ld repaired\n",
	       twice ? "2x " : "   ", sc->name, t->instructions, t->kills,
	       tally_total(t), t->wake_s * 1e3, t->seconds, t->restepped,
	       t->aged, t->repaired);
	fflush(stdout);
}

/* A crowd takes long to gather. */
static long pairs_of(const struct scenario *sc)
{
	long weight = 0;

	for (int i = 0; scenario_at(i); i++)
		if (wanted(scenario_at(i)) && double_fits(scenario_at(i)))
			weight += scenario_at(i)->crowd ? 1 : CROWD_WEIGHT;
	if (weight == 0) /* none of them fits */
		return 0;
	return (opt.pairs * (sc->crowd ? 1 : CROWD_WEIGHT) + weight - 1) /
	       weight;
}

static void run_unit(int scenario, int part, int parts, bool twice)
{
	const struct scenario *sc = scenario_at(scenario);
	struct tally *t = tally_of(scenario, twice);
	double began = look_clock();

	if (opt.pairs)
		kill_doubly(sc, t, &bench, pairs_of(sc),
			    opt.seed * 1024 + (unsigned)scenario);
	else
		kill_singly(sc, t, &bench, part, parts,
			    twice ? 2 : opt.recoverers);
	t->seconds += look_clock() - began;
}

/* Whether there is such a unit: twice is for single kills. */
static bool has_unit(const struct scenario *sc, bool twice)
{
	if (!wanted(sc) || (opt.pairs && (twice || !double_fits(sc))))
		return false;
	return !twice || (sc->flags & SC_TWICE);
}

/* Units: for each scenario its parts, then its parts with two recoverers. */
static void work(int parts)
{
	for (;;) {
		int u = __atomic_fetch_add(&board->next_unit, 1,
					   __ATOMIC_SEQ_CST);
		int i = u / (2 * parts), part = u % parts;
		bool twice = u / parts % 2;
		const struct scenario *sc = scenario_at(i);
		struct tally *t;

		if (!sc)
			return;
		t = tally_of(i, twice);
		if (!has_unit(sc, twice))
			continue;
		run_unit(i, part, parts, twice);
		if (__atomic_sub_fetch(&t->parts_left, 1, __ATOMIC_SEQ_CST) ==
		    0)
			print_line(sc, t, twice);
	}
}

/* The names that stay in a realm after an orderly life; nothing else may. */
static void learn_clean(void)
{
	struct ferry_link *box;
	int status;

	if (fork() == 0) {
		if (ferry_mailbox_create(&box, "box", NULL))
			_exit(1);
		ferry_close(box);
		_exit(0);
	}
	wait(&status);
	if (status) {
		fprintf(stderr, "crash: cannot create a mailbox at all\n");
		exit(2);
	}
	scratch_names(&bench.scratch, bench.clean, sizeof(bench.clean));
}

static pid_t start_worker(int i, int parts)
{
	char tag[32];
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench.cpu = i % (int)sysconf(_SC_NPROCESSORS_ONLN);
	snprintf(tag, sizeof(tag), "crash%d", i);
	scratch_make(&bench.scratch, tag);
	bench.trace = step_trace_new(TRACE_MAX);
	bench.second = step_trace_new(TRACE_MAX);
	if (!bench.trace || !bench.second || !ledger_make())
		_exit(2);
	learn_clean();
	work(parts);
	scratch_remove(&bench.scratch);
	_exit(0);
}

static int summary(void)
{
	long kills = 0, restepped = 0, thinned = 0, pairs = 0, missed = 0;
	int bad = 0, n = 0;
	double wake = 0;

	for (int i = 0; i < 2 * MAX_SCENARIOS; i++) {
		const struct tally *t = &board->tally[i];

		n += t->kills > 0;
		kills += t->kills;
		restepped += t->restepped;
		thinned += t->thinned;
		pairs += t->pairs;
		missed += t->missed;
		bad += tally_total(t);
		wake = t->wake_s > wake ? t->wake_s : wake;
	}
	if (opt.pairs)
		printf("%ld double kills, %ld more in which the recoverer took "
		       "another path and ended\n",
		       pairs, missed);
	printf("TOTAL %d scenarios, %ld kills, %d violations, worst wake "
	       "%.2f ms, %ld stepped again, %ld thinned out, stride %ld, "
	       "at most %ld each, seed %u\n",
	       n, kills, bad, wake * 1e3, restepped, thinned, opt.stride,
	       opt.most, opt.seed);
	return bad;
}

static void print_json(void)
{
	const char *comma = "";

	printf("[");
	for (int i = 0; i < 2 * MAX_SCENARIOS; i++) {
		const struct tally *t = &board->tally[i];
		const struct scenario *sc = scenario_at(i % MAX_SCENARIOS);

		if (!t->kills)
			continue;
		printf("%s\n{\"scenario\":\"%s\",\"recoverers\":%d,"
		       "\"instructions\":%ld,\"kills\":%ld,\"violations\":%d,"
		       "\"worst_wake_ms\":%.3f}",
		       comma, sc->name, i >= MAX_SCENARIOS ? 2 : 0,
		       t->instructions, t->kills, tally_total(t),
		       t->wake_s * 1e3);
		comma = ",";
	}
	printf("\n]\n");
}

static void list_scenarios(void)
{
	for (int i = 0; scenario_at(i); i++)
		puts(scenario_at(i)->name);
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "stride", 1, 0, 's' },
		{ "most", 1, 0, 'm' },
		{ "only", 1, 0, 'n' },
		{ "kill", 1, 0, 'k' },
		{ "jobs", 1, 0, 'j' },
		{ "seed", 1, 0, 'r' },
		{ "list", 0, 0, 'l' },
		{ "json", 0, 0, 'J' },
		{ "recoverers", 1, 0, 'R' },
		{ "plain-futex", 0, 0, 'p' },
		{ "every", 0, 0, 'e' },
		{ "double", 1, 0, 'd' },
		{ 0 },
	};
	int c;

	opt.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt.stride = atol(optarg); break;
		case 'm': opt.most = atol(optarg); break;
		case 'n': opt.only = optarg; break;
		case 'k': opt.kill = atol(optarg); break;
		case 'j': opt.jobs = atoi(optarg); break;
		case 'r': opt.seed = (unsigned)atol(optarg); break;
		case 'l': opt.list = true; break;
		case 'J': opt.json = true; break;
		case 'R': opt.recoverers = atoi(optarg); break;
		case 'e': opt.every = true; break;
		case 'd': opt.pairs = atol(optarg); break;
		case 'p': opt.plain_futex = true; break;
		default: exit(2);
		}
	}
	if (opt.stride < 1 || opt.jobs < 1 || opt.recoverers > 2)
		exit(2);
}

/*
 * Knobs of the library and of libc, set before anything is loaded: no safety
 * net, no spinning, and no "rep movs", which would be one instruction that
 * counts as thousands.
 */
static void environment(char **argv)
{
	setenv("FERRY_NET_MS", "0", 1);
	setenv("FERRY_SPIN_US", "0", 1);
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("LD_BIND_NOW", "1", 1); /* step no dynamic linker */
	setenv("GLIBC_TUNABLES",
	       "glibc.cpu.x86_rep_movsb_threshold=1000000000:"
	       "glibc.cpu.x86_rep_stosb_threshold=1000000000",
	       1);
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	int parts, bad, status, broken = 0;

	environment(argv);
	parse(argc, argv);
	if (opt.list)
		return list_scenarios(), 0;
	if (step_unsupported()) {
		printf("skipped: %s\n", step_unsupported());
		return 77;
	}
	if (opt.plain_futex)
		setenv("FERRY_FUTEX_WAITV", "0", 1);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return 2;
	parts = opt.kill >= 0 || opt.pairs ? 1 : opt.jobs;
	for (int i = 0; i < 2 * MAX_SCENARIOS; i++)
		board->tally[i].parts_left = parts;
	for (int i = 0; i < opt.jobs; i++)
		start_worker(i, parts);
	while (wait(&status) > 0)
		broken |= status;
	bad = summary();
	if (opt.json)
		print_json();
	return bad || broken ? 1 : 0;
}
