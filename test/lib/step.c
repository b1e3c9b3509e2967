/* SPDX-License-Identifier: MIT */
/*
 * PTRACE_SINGLESTEP and a hardware breakpoint, with a timer that notices a
 * victim which sleeps.
 *
 * A step that enters a sleeping system call does not come back, so waitpid()
 * is interrupted every moment to look at the victim's state.  A system call is
 * one step: kills inside the kernel belong to the storm.
 */
#include "step.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"

/* Looks in a row, a tick apart, that make a sleep a block. */
#define BLOCKED_LOOKS 4
#define TICK_US	      700

const char *step_unsupported(void)
{
#if defined(__x86_64__) && defined(__linux__)
	return NULL;
#else
	return "single-stepping is written for x86-64 Linux";
#endif
}

#if defined(__x86_64__)
#define TRAP()	    __asm__ volatile("int3")
#define RIP	    offsetof(struct user, regs.rip)
#define DEBUGREG(n) (offsetof(struct user, u_debugreg) + (n) * sizeof(long))
#else
#define TRAP()	    ((void)0)
#define RIP	    0
#define DEBUGREG(n) 0
#endif

void step_trace_me(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
}

void step_begin(struct step_marks *m)
{
	m->begun = 1;
}

void step_end(struct step_marks *m)
{
	m->done = 1;
}

void step_skip_begin(struct step_marks *m)
{
	m->skip = 1;
}

void step_skip_end(struct step_marks *m)
{
	m->skip = 0;
	TRAP();
}

struct step_trace *step_trace_new(long max)
{
	size_t size = sizeof(struct step_trace) +
		      (size_t)max * sizeof(((struct step_trace *)0)->at[0]);
	struct step_trace *t = mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	t->max = max;
	return t;
}

static void on_tick(int sig)
{
	(void)sig;
}

static void ticks(bool on)
{
	struct itimerval it = { { 0, on ? TICK_US : 0 },
				{ 0, on ? TICK_US : 0 } };
	struct sigaction sa = { .sa_handler = on_tick };

	if (on)
		sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

bool step_attach(struct stepper *s, pid_t pid, struct step_marks *m)
{
	int status;

	memset(s, 0, sizeof(*s));
	s->pid = pid;
	s->marks = m;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
}

/*
 * Let the victim go on as `request` says until it stops again.  When it falls
 * asleep instead, the request stays open and the next call takes it up.
 */
static enum step_result resume(struct stepper *s, int request)
{
	int status, asleep = 0;

	if (!s->in_call)
		ptrace(request, s->pid, NULL, NULL);
	s->in_call = true;
	while (waitpid(s->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return STEP_GONE;
		if (s->marks->done)
			return STEP_DONE;
		asleep = look_in_futex(s->pid) ? asleep + 1 : 0;
		if (asleep >= BLOCKED_LOOKS)
			return STEP_BLOCKED;
	}
	s->in_call = false;
	return WIFSTOPPED(status) ? STEP_REACHED : STEP_GONE;
}

static unsigned long where(struct stepper *s)
{
	return (unsigned long)ptrace(PTRACE_PEEKUSER, s->pid, RIP, NULL);
}

static void record(struct stepper *s)
{
	if (s->record && s->record->n < s->record->max)
		s->record->at[s->record->n++].pc = where(s);
}

static enum step_result one_step(struct stepper *s)
{
	bool counted = s->marks->begun && !s->marks->skip;
	enum step_result r;

	if (counted && !s->in_call)
		record(s);
	r = resume(s, s->marks->skip ? PTRACE_CONT : PTRACE_SINGLESTEP);
	if (r == STEP_REACHED && counted)
		s->steps++;
	return r;
}

enum step_result step_to(struct stepper *s, long k)
{
	enum step_result r = STEP_REACHED;

	ticks(true);
	while (r == STEP_REACHED && !s->marks->done &&
	       (!s->marks->begun || s->marks->skip || s->in_call ||
		s->steps < k))
		r = one_step(s);
	ticks(false);
	if (r == STEP_REACHED && s->marks->done)
		r = STEP_DONE;
	return r;
}

/* Open addressing; a trace visits far fewer places than this. */
#define PLACES (1u << 16)

void step_trace_index(struct step_trace *t)
{
	static struct {
		unsigned long pc;
		long n;
	} place[PLACES];

	memset(place, 0, sizeof(place));
	for (long i = 0; i < t->n; i++) {
		unsigned long pc = t->at[i].pc;
		unsigned slot = (unsigned)(pc * 2654435761u >> 7) % PLACES;

		while (place[slot].n && place[slot].pc != pc)
			slot = (slot + 1) % PLACES;
		place[slot].pc = pc;
		t->at[i].nth = ++place[slot].n;
	}
}

/* Where to break so that stops there plus steps from there are fewest. */
static long anchor(const struct step_trace *t, long k)
{
	long best = k;

	for (long i = k; i >= 0 && k - i < t->at[best].nth + k - best; i--)
		if (t->at[i].nth + k - i < t->at[best].nth + k - best)
			best = i;
	return best;
}

static enum step_result run_to_break(struct stepper *s, unsigned long pc,
				     long nth)
{
	enum step_result r = STEP_REACHED;

	while (r == STEP_REACHED && s->hits < nth) {
		r = resume(s, PTRACE_CONT);
		if (r == STEP_REACHED && where(s) == pc && s->marks->begun &&
		    !s->marks->skip)
			s->hits++;
	}
	return r;
}

/* The same count of steps as in the recording, skipped parts left out. */
static enum step_result step_on(struct stepper *s, long n)
{
	enum step_result r = STEP_REACHED;

	while (r == STEP_REACHED && !s->marks->done &&
	       (s->steps_after < n || s->in_call)) {
		bool counted = !s->marks->skip;

		r = resume(s, counted ? PTRACE_SINGLESTEP : PTRACE_CONT);
		if (r == STEP_REACHED && counted)
			s->steps_after++;
	}
	return s->marks->done ? STEP_DONE : r;
}

enum step_result step_run_to(struct stepper *s, const struct step_trace *t,
			     long k)
{
	long from = anchor(t, k);
	enum step_result r;

	if (!s->in_call) {
		ptrace(PTRACE_POKEUSER, s->pid, DEBUGREG(0), t->at[from].pc);
		if (ptrace(PTRACE_POKEUSER, s->pid, DEBUGREG(7), 1L))
			return step_to(s, k);
	}
	ticks(true);
	r = run_to_break(s, t->at[from].pc, t->at[from].nth);
	if (r == STEP_REACHED) {
		ptrace(PTRACE_POKEUSER, s->pid, DEBUGREG(7), 0L);
		r = step_on(s, k - from);
	}
	ticks(false);
	s->steps = k;
	return r;
}

bool step_finish(struct stepper *s, double seconds)
{
	double end = look_clock() + seconds;
	enum step_result r = STEP_REACHED;

	ptrace(PTRACE_POKEUSER, s->pid, DEBUGREG(7), 0L);
	ticks(true);
	while ((r == STEP_REACHED || r == STEP_BLOCKED) && !s->marks->done &&
	       look_clock() < end)
		r = resume(s, PTRACE_CONT);
	ticks(false);
	return s->marks->done;
}

void step_let_go(struct stepper *s)
{
	int status = 0;

	/* It may run, and may be about to stop for another reason. */
	while (s->in_call) {
		kill(s->pid, SIGSTOP);
		if (waitpid(s->pid, &status, 0) < 0)
			continue;
		if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP)
			ptrace(PTRACE_CONT, s->pid, NULL, NULL);
		else
			s->in_call = false;
	}
	ptrace(PTRACE_POKEUSER, s->pid, DEBUGREG(7), 0L);
	ptrace(PTRACE_DETACH, s->pid, NULL, NULL);
	kill(s->pid, SIGCONT); /* also where a stop is still to come */
}

void step_kill(struct stepper *s)
{
	int status;

	kill(s->pid, SIGKILL);
	do {
		while (waitpid(s->pid, &status, 0) < 0)
			if (errno != EINTR)
				return;
	} while (WIFSTOPPED(status));
}
