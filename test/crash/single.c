/* SPDX-License-Identifier: MIT */
/* See single.h. */
#include "single.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "look.h"

#define TRACE_MAX   400000
#define FAULTS_MOST 10 /* of a scenario that are told */

struct scratch single_realm;

static const struct single *kind;
static int *faults; /* shared with children that audit */
static long kill_number;
static char kill_place[60]; /* of a kill at a system call */

long single_kill(void)
{
	return kill_number;
}

ferry_time single_soon(void)
{
	return ferry_after(FERRY_S(SINGLE_HANG_S));
}

void single_violate(const char *name, const char *fmt, ...)
{
	va_list ap;

	if (++*faults > FAULTS_MOST)
		return;
	printf("  VIOLATION in \"%s\", at %ld%s: ", name, kill_number,
	       kill_place);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

bool single_await(volatile int *flag)
{
	struct look_limit limit = look_limit(SINGLE_HANG_S);

	while (!*flag)
		if (look_is_over(&limit))
			return false;
		else
			look_pause_us(100);
	return true;
}

void single_begin(struct single_board *b)
{
	b->ready = 1;
	step_trace_me();
	step_begin(&b->marks);
}

void single_end(struct single_board *b, bool did)
{
	b->did = did;
	step_end(&b->marks);
}

void single_rest(void)
{
	for (;;)
		pause();
}

static enum step_result at_instruction(struct stepper *s,
				       const struct single_run *r)
{
	s->record = r->records ? r->trace : NULL;
	return r->records ? step_to(s, TRACE_MAX) :
			    step_run_to(s, r->trace, r->k);
}

static enum step_result at_call(struct stepper *s, const struct single_run *r)
{
	enum step_result result = step_to_stop(s, r->k, SINGLE_HANG_S);

	if (r->records)
		*r->n = s->steps;
	else
		snprintf(kill_place, sizeof kill_place, " (%s call %ld)",
			 s->returned ? "behind" : "before", s->call);
	return result;
}

bool single_step(struct stepper *s, const char *name,
		 const struct single_run *r, const struct single_board *b)
{
	enum step_result result = r->trace ? at_instruction(s, r) :
					     at_call(s, r);

	if (result == STEP_BLOCKED && !r->trace)
		single_violate(name, "it hangs");
	if (r->records && result != STEP_DONE)
		single_violate(name, "it does not come to its end");
	if (result == STEP_DONE && !b->did)
		single_violate(name, "it ends, and has not done it");
	return result == STEP_DONE;
}

/* --- scenarios, one after the other ------------------------------------------ */

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("crash");
		exit(2);
	}
	return p;
}

static void run(const void *scenario, const struct single_run *r)
{
	kill_number = r->k;
	kill_place[0] = '\0';
	kind->run(scenario, r);
}

/* How many places there are to kill at. */
static long record(const void *scenario, struct step_trace *t)
{
	struct single_run r = { t, TRACE_MAX, true, NULL };
	long n = 0;

	r.n = &n;
	run(scenario, &r);
	if (!t)
		return n;
	step_trace_index(t);
	return t->n;
}

static void run_scenario(const void *scenario, const char *name, long most)
{
	struct step_trace *t = kind->at_calls ? NULL :
						step_trace_new(TRACE_MAX);
	double began = look_clock();
	long stride, n, kills = 0;

	*faults = 0;
	n = record(scenario, t);
	if (n == 0)
		single_violate(name, "nothing was stepped");
	stride = most && n > most ? n / most : 1;
	for (long k = 0; k < n && *faults < FAULTS_MOST; k += stride, kills++)
		run(scenario, &(struct single_run){ .trace = t, .k = k });
	printf("%-50s %6ld %s %6ld kills %3d violations %6.1f s\n", name, n,
	       t ? "instructions" : "stops", kills, *faults,
	       look_clock() - began);
	fflush(stdout);
	if (t)
		munmap(t, sizeof *t + TRACE_MAX * sizeof t->at[0]);
}

static int run_list(const void *scenarios, const char *only, long most)
{
	const char *at = scenarios, *name;
	int all = 0;

	for (; at && (name = *(const char *const *)at);
	     at += kind->scenario_size) {
		if (!strstr(name, only))
			continue;
		run_scenario(at, name, most);
		all += *faults;
	}
	return all;
}

int single_main(const struct single *of, void *board, int argc, char **argv)
{
	static const struct option options[] = { { "most", 1, 0, 'm' },
						 { "only", 1, 0, 'n' },
						 { 0 } };
	const char *only = "", *why = of->at_calls ?
					      step_to_stop_unsupported() :
					      step_unsupported();
	long most = 0;
	int all = 0, opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (opt) {
		case 'm': most = atol(optarg); break;
		case 'n': only = optarg; break;
		default: return 2;
		}
	if (why) {
		printf("skipped: %s\n", why);
		return 77;
	}
	kind = of;
	setenv("FERRY_SPIN_US", "0", 1);
	setenv("FERRY_NET_MS", "0", 1);
	scratch_make(&single_realm, kind->tag);
	faults = shared(sizeof *faults);
	*(void **)board = shared(kind->board_size);
	for (unsigned i = 0; i < 2; i++)
		all += run_list(kind->scenarios[i], only, most);
	scratch_remove(&single_realm);
	return all > 0;
}
