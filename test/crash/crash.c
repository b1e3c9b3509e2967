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
 *
 * A scenario is first stepped to its end and recorded; then it is run once
 * for each recorded instruction and killed there (test/lib/step.h).  Workers,
 * one a CPU, share the list.
 *
 * Three things are thinned out unless --every is given, and counted: of what is
 * executed more than LOOP times (checksums, scans) only one in THIN, of a
 * scenario with a crowd, which takes long to gather, the same, and of the
 * instructions that were met by stepping but not at full speed, where the
 * others are quicker, only one in THIN is stepped to again.
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

#include "look.h"
#include "round.h"

#define MAX_SCENARIOS 96
#define TRACE_MAX     400000
#define ROUND_S	      40.0
/* Executions of one instruction that are all killed, and what then is. */
#define LOOP 64
#define THIN 16
/* Slower, and it may be that a sleeper looked by itself: see round.c. */
#define PROMPT_S 0.003
/* A wake-up worth a line. */
#define SLOW_S 0.05
/* A scenario that fails this often has made its point. */
#define ENOUGH_FAULTS 10

struct options {
	long stride, most, kill;
	const char *only;
	int jobs, recoverers;
	unsigned seed;
	bool list, json, plain_futex, every;
};

/* What all workers found about one scenario. */
struct tally {
	volatile int parts_left;
	volatile long instructions, kills, restepped, repaired, thinned, aged;
	volatile int faults[FAULT_KINDS];
	volatile double wake_s, seconds;
};

struct board {
	volatile int next_unit;
	struct tally tally[2 * MAX_SCENARIOS]; /* the second half: twice */
};

static struct options opt = { .stride = 1, .kill = -1, .seed = 1 };
static struct board *board;
static struct scratch scratch;
static struct step_trace *trace;
static char clean[512];
static int cpu;

static int total(const struct tally *t)
{
	int n = 0;

	for (int i = 0; i < FAULT_KINDS; i++)
		n += t->faults[i];
	return n;
}

static struct tally *tally_of(int scenario, bool twice)
{
	return &board->tally[scenario + (twice ? MAX_SCENARIOS : 0)];
}

static bool wanted(const struct scenario *sc)
{
	return !opt.only || strstr(sc->name, opt.only);
}

/* One round in a process of its own; whatever it left running is ended. */
static void run_round(const struct orders *o)
{
	double end = look_clock() + ROUND_S;
	int status = 0;
	pid_t pid;

	scratch_empty(&scratch);
	ledger_clear();
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		round_run(o);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (look_clock() > end) {
			violate(FAULT_HANG, "the auditor hangs in a call");
			kill(pid, SIGKILL);
		}
		look_pause_us(200);
	}
	killpg(pid, SIGKILL); /* participants, when it did not end well */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		violate(FAULT_OTHER, "the auditor died of %s",
			strsignal(WTERMSIG(status)));
}

static void report_faults(const struct orders *o)
{
	int n = ledger->n_texts;

	for (int i = 0; i < n && i < LEDGER_TEXTS; i++)
		printf("  VIOLATION in \"%s\"%s, killed at %ld of %ld: %s\n",
		       o->sc->name, o->recoverers ? ", recoverers killed" : "",
		       o->approach == BY_RECORD ? ledger->steps : o->k,
		       o->trace->n, ledger->text[i]);
	fflush(stdout);
}

static void add(struct tally *t, const struct orders *o)
{
	__atomic_fetch_add(&t->kills, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < FAULT_KINDS; i++)
		__atomic_fetch_add(&t->faults[i], ledger->faults[i],
				   __ATOMIC_RELAXED);
	if (o->trace->n > t->instructions)
		t->instructions = o->trace->n;
	__atomic_fetch_add(&t->repaired, ledger->repaired, __ATOMIC_RELAXED);
	if (ledger->wake_s > t->wake_s)
		t->wake_s = ledger->wake_s;
	if (ledger->wake_s > SLOW_S)
		printf("  slow in \"%s\", killed at %ld of %ld: %.1f ms\n",
		       o->sc->name, o->k, o->trace->n, ledger->wake_s * 1e3);
	if (ledger_total())
		report_faults(o);
}

/* Whether this one of many alike may be left out. */
static bool thin_out(struct tally *t, long k, bool alike)
{
	if (!alike || opt.every || opt.most || opt.stride > 1 ||
	    opt.kill >= 0 || k % THIN == 0)
		return false;
	__atomic_fetch_add(&t->thinned, 1, __ATOMIC_RELAXED);
	return true;
}

/* Kill at o->k, by stepping when this run took another path. */
static void kill_at(struct tally *t, struct orders *o)
{
	o->approach = BY_BREAKPOINT;
	o->aged = opt.most || opt.every || opt.kill >= 0 || o->k % THIN == 0;
	run_round(o);
	if (!o->aged && ledger->wake_s > PROMPT_S && !ledger_total()) {
		__atomic_fetch_add(&t->aged, 1, __ATOMIC_RELAXED);
		o->aged = true;
		run_round(o);
	}
	if (ledger->outcome != STEP_REACHED && !ledger_total()) {
		if (thin_out(t, o->k, true)) {
			add(t, o);
			return;
		}
		__atomic_fetch_add(&t->restepped, 1, __ATOMIC_RELAXED);
		o->approach = BY_STEPS;
		run_round(o);
	}
	add(t, o);
}

static void kill_everywhere(struct tally *t, struct orders *o, int part,
			    int parts)
{
	long stride = opt.stride;
	long step, k;

	if (opt.most && o->trace->n / opt.most > stride)
		stride = o->trace->n / opt.most;
	step = stride * parts;
	k = ((long)(opt.seed * 7919u) % stride + part * stride) % step;

	for (; k < o->trace->n && total(t) < ENOUGH_FAULTS; k += step) {
		if (thin_out(t, k, o->sc->crowd || o->trace->at[k].nth > LOOP))
			continue;
		o->k = k;
		o->seed = opt.seed + (unsigned)k;
		kill_at(t, o);
	}
}

static void run_unit(int scenario, int part, int parts, int recoverers)
{
	const struct scenario *sc = scenario_at(scenario);
	struct tally *t = tally_of(scenario, recoverers == 2);
	struct orders o = { .sc = sc,
			    .k = LONG_MAX,
			    .approach = BY_RECORD,
			    .trace = trace,
			    .seed = opt.seed,
			    .aged = true,
			    .cpu = cpu,
			    .scratch = &scratch,
			    .clean = clean };
	double began = look_clock();
	int again = sc->flags & SC_IDLE ? 20 : 0;

	trace->n = 0;
	run_round(&o);
	add(t, &o);
	while (again-- > 0 && !total(t)) {
		trace->n = 0;
		run_round(&o);
		add(t, &o);
	}
	step_trace_index(trace);
	o.recoverers = recoverers;
	if (opt.kill >= 0) {
		o.k = opt.kill;
		kill_at(t, &o);
	} else if (!(sc->flags & SC_IDLE)) {
		kill_everywhere(t, &o, part, parts);
	}
	t->seconds += look_clock() - began;
}

static void print_line(const struct scenario *sc, const struct tally *t,
		       bool twice)
{
	printf("%s%-44s %6ld instructions %6ld kills %3d violations"
	       "  worst wake %7.2f ms  %5.1f s  %ld again  %ld aged  %ld repaired\n",
	       twice ? "2x " : "   ", sc->name, t->instructions, t->kills,
	       total(t), t->wake_s * 1e3, t->seconds, t->restepped, t->aged,
	       t->repaired);
	fflush(stdout);
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
		if (!wanted(sc) || (twice && !(sc->flags & SC_TWICE)))
			continue;
		run_unit(i, part, parts, twice ? 2 : opt.recoverers);
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
	scratch_names(&scratch, clean, sizeof(clean));
}

static pid_t start_worker(int i, int parts)
{
	char tag[32];
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cpu = i % (int)sysconf(_SC_NPROCESSORS_ONLN);
	snprintf(tag, sizeof(tag), "crash%d", i);
	scratch_make(&scratch, tag);
	trace = step_trace_new(TRACE_MAX);
	if (!trace || !ledger_make())
		_exit(2);
	learn_clean();
	work(parts);
	scratch_remove(&scratch);
	_exit(0);
}

static int summary(void)
{
	long kills = 0, restepped = 0, thinned = 0;
	int bad = 0, n = 0;
	double wake = 0;

	for (int i = 0; i < 2 * MAX_SCENARIOS; i++) {
		const struct tally *t = &board->tally[i];

		n += t->kills > 0;
		kills += t->kills;
		restepped += t->restepped;
		thinned += t->thinned;
		bad += total(t);
		wake = t->wake_s > wake ? t->wake_s : wake;
	}
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
		       t->instructions, t->kills, total(t), t->wake_s * 1e3);
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
		{ "stride", 1, 0, 's' },     { "most", 1, 0, 'm' },
		{ "only", 1, 0, 'n' },	     { "kill", 1, 0, 'k' },
		{ "jobs", 1, 0, 'j' },	     { "seed", 1, 0, 'r' },
		{ "list", 0, 0, 'l' },	     { "json", 0, 0, 'J' },
		{ "recoverers", 1, 0, 'R' }, { "plain-futex", 0, 0, 'p' },
		{ "every", 0, 0, 'e' },	     { 0 },
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
	parts = opt.kill >= 0 ? 1 : opt.jobs;
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
