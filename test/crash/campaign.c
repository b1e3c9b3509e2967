/* SPDX-License-Identifier: MIT */
/*
 * The single kills of a scenario.
 */
#include "campaign.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"

#define ROUND_S 40.0
/* Executions of one instruction that are all killed, and what then is. */
#define LOOP 64
#define THIN 16
/* Slower, and it may be that a sleeper looked by itself: see round.c. */
#define PROMPT_S 0.003
/* A wake-up worth a line. */
#define SLOW_S 0.05

int tally_total(const struct tally *t)
{
	int n = 0;

	for (int i = 0; i < FAULT_KINDS; i++)
		n += t->faults[i];
	return n;
}

/* One round in a process of its own; whatever it left running is ended. */
void run_round(const struct orders *o)
{
	struct look_limit limit = look_limit(ROUND_S);
	int status = 0;
	pid_t pid;

	scratch_empty(o->scratch);
	ledger_clear();
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		round_run(o);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (look_is_over(&limit)) {
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

/* Where it happened. */
static void describe(const struct orders *o, char *text, size_t size)
{
	if (o->second)
		snprintf(text, size,
			 "killed at %ld of %ld, and who %s at %ld of %ld", o->k,
			 o->trace->n, second_name[o->kind], o->j, o->second->n);
	else
		snprintf(text, size, "%skilled at %ld of %ld",
			 o->recoverers ? "recoverers killed, " : "",
			 o->approach == BY_RECORD ? ledger->steps : o->k,
			 o->trace->n);
}

static void report_faults(const struct orders *o)
{
	int n = ledger->n_texts;
	char place[160];

	describe(o, place, sizeof(place));
	for (int i = 0; i < n && i < LEDGER_TEXTS; i++)
		printf("  VIOLATION in \"%s\", %s: %s\n", o->sc->name, place,
		       ledger->text[i]);
	fflush(stdout);
}

void tally_add(struct tally *t, const struct orders *o)
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

/*
 * Whether this one of many alike may be left out.  Not of those who stand
 * still for three laps; but most of what a woken one does is to fall asleep.
 */
static bool thin_out(struct tally *t, const struct orders *o, bool alike)
{
	bool all = (o->sc->flags & SC_LAPS) && !o->sc->wake;

	if (!alike || all || opt.every || opt.most || opt.stride > 1 ||
	    opt.kill >= 0 || o->k % THIN == 0)
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
		if (thin_out(t, o, true)) {
			tally_add(t, o);
			return;
		}
		__atomic_fetch_add(&t->restepped, 1, __ATOMIC_RELAXED);
		o->approach = BY_STEPS;
		run_round(o);
	}
	tally_add(t, o);
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

	for (; k < o->trace->n && tally_total(t) < ENOUGH_FAULTS; k += step) {
		o->k = k;
		if (thin_out(t, o, o->sc->crowd || o->trace->at[k].nth > LOOP))
			continue;
		o->seed = opt.seed + (unsigned)k;
		kill_at(t, o);
	}
}

struct orders orders_to_record(const struct scenario *sc, struct bench *b)
{
	return (struct orders){ .sc = sc,
				.k = LONG_MAX,
				.approach = BY_RECORD,
				.trace = b->trace,
				.seed = opt.seed,
				.aged = true,
				.cpu = b->cpu,
				.scratch = &b->scratch,
				.clean = b->clean };
}

void kill_singly(const struct scenario *sc, struct tally *t, struct bench *b,
		 int part, int parts, int recoverers)
{
	struct orders o = orders_to_record(sc, b);
	int again = sc->flags & SC_IDLE ? 20 : 0;

	do {
		b->trace->n = 0;
		run_round(&o);
		tally_add(t, &o);
	} while (again-- > 0 && !tally_total(t));
	step_trace_index(b->trace);
	o.recoverers = recoverers;
	if (opt.kill >= 0) {
		o.k = opt.kill;
		kill_at(t, &o);
	} else if (!(sc->flags & SC_IDLE)) {
		kill_everywhere(t, &o, part, parts);
	}
}
