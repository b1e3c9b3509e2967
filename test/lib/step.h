/* SPDX-License-Identifier: MIT */
/*
 * Stop a process after exactly k instructions of one operation.
 *
 * The victim calls step_trace_me() once and step_begin(), step_end() around
 * the operation; only what lies between those two marks is stepped and
 * counted.  The marks live in memory shared with the stepper, so that they
 * cost no system call.  Inside, step_skip_begin() and step_skip_end() enclose
 * work of the test itself (filling a payload), which runs at full speed.
 *
 * The first run of a scenario steps and records where each instruction was;
 * later ones run at full speed to a hardware breakpoint there, because a step
 * costs some 20 microseconds and a run of thousands of them would take hours.
 * A run that took another path and missed the breakpoint is done again by
 * stepping.
 *
 * x86-64 Linux only: step_unsupported() says why not elsewhere.
 *
 * Where all that a victim leaves is the kernel's or a file's, it is enough to stop it
 * at its system calls (step_calls.c): before and behind each of them.
 */
#ifndef TEST_STEP_H
#define TEST_STEP_H

#include <stdbool.h>
#include <sys/types.h>

/* Shared between the victim (writes) and the stepper (reads). */
struct step_marks {
	volatile int begun;
	volatile int done;
	volatile int skip;
};

enum step_result {
	STEP_REACHED, /* stopped after the k-th instruction */
	STEP_DONE,    /* the operation returned before that */
	STEP_BLOCKED, /* asleep in a futex call: only others can wake it */
	STEP_GONE,    /* the process ended */
};

/* Where the instructions of one run lay, in order. */
struct step_trace {
	long n, max;
	struct {
		unsigned long pc;
		long nth; /* the how-manieth time that it is executed */
	} at[];
};

struct stepper {
	pid_t pid;
	struct step_marks *marks;
	long steps;		   /* instructions between the marks so far */
	bool in_call;		   /* a step was started and has not ended */
	long hits;		   /* of the breakpoint */
	long steps_after;	   /* and steps from there */
	struct step_trace *record; /* step_to() adds to it when set */
	long call;		   /* of step_to_stop(): its number, */
	bool returned;		   /* and whether it has been made */
};

/* NULL, or the reason why this machine cannot single-step. */
const char *step_unsupported(void);

/* Victim. */
void step_trace_me(void);
void step_begin(struct step_marks *m);
void step_end(struct step_marks *m);
void step_skip_begin(struct step_marks *m);
void step_skip_end(struct step_marks *m);

/* Stepper.  step_attach() waits for the victim's step_trace_me(). */
bool step_attach(struct stepper *s, pid_t pid, struct step_marks *m);
enum step_result step_to(struct stepper *s, long k);

/*
 * As step_to(), but by a breakpoint at or a little before the k-th instruction
 * of `t`: in a loop, some steps cost less than many stops.  May be
 * called again after STEP_BLOCKED.  STEP_DONE or a second STEP_BLOCKED says
 * that this run took another path than the recorded one.
 */
enum step_result step_run_to(struct stepper *s, const struct step_trace *t,
			     long k);

/*
 * Go on to the k-th stop at a system call between the marks; k = 0 is before the
 * first.  STEP_BLOCKED: it does not come there within `seconds`.
 */
enum step_result step_to_stop(struct stepper *s, long k, double seconds);

/* NULL, or the reason why this machine cannot do that. */
const char *step_to_stop_unsupported(void);

/* Memory for `max` instructions that the children of the caller can fill. */
struct step_trace *step_trace_new(long max);

/* Count occurrences, once the recording is complete. */
void step_trace_index(struct step_trace *t);

/* Let the victim run to the end of its operation; false: it does not return. */
bool step_finish(struct stepper *s, double seconds);

/* Behind step_finish(): it runs on, and nobody traces it any more. */
void step_let_go(struct stepper *s);

/* End it and reap it. */
void step_kill(struct stepper *s);

#endif
