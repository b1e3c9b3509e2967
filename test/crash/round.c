/* SPDX-License-Identifier: MIT */
/*
 * Driving one round.
 *
 * All participants are forked before the auditor opens anything, so each of
 * them comes to the library as a process of its own.  They wait for their
 * semaphore in the ledger; they die with the round.
 */
#include "round.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deed.h"
#include "look.h"

/* A repair takes about this long. */
#define RECOVERY_S 300e-6

static struct round round_;
static int n_actors;

/* Children */

static void any_cpu(void)
{
	cpu_set_t all;

	CPU_ZERO(&all);
	for (int i = 0; i < 64; i++)
		CPU_SET(i, &all);
	sched_setaffinity(0, sizeof(all), &all);
}

static void begin_call(struct actor *a)
{
	a->ready = 1;
}

static void end_call(struct actor *a, int rc)
{
	a->rc = rc;
	a->done_at = look_clock();
	a->done = 1;
}

static void be_victim(struct actor *a)
{
	const struct scenario *sc = round_.sc;
	struct victim v = { 0 };

	if (!(sc->flags & (SC_NO_BOX | SC_OUTSIDE)))
		v.box = deed_open("box");
	if (sc->flags & (SC_TWO_BOXES | SC_DEAD_LETTERS))
		v.other = deed_open("other");
	if (sc->prepare && !sc->prepare(&v))
		violate(FAULT_OTHER, "the victim cannot prepare its deed");
	step_trace_me();
	deed_stepped();
	step_begin(&ledger->marks);
	ledger->did = sc->act(&v);
	step_end(&ledger->marks);
	a->done = 1;
	pause();
}

static void be_receiver(struct actor *a)
{
	struct ferry_link *box = deed_open("box");

	begin_call(a);
	end_call(a, deed_consume(box, FERRY_FOREVER));
	pause();
}

/* Sleeps as an event loop does, and is told by the kernel's stand-in. */
static void be_loop(struct actor *a)
{
	struct ferry_link *box = deed_open("box");
	struct pollfd p = { ferry_pollfd(box, FERRY_RECV), POLLIN, 0 };
	int rc;

	begin_call(a);
	while ((rc = deed_consume(box, FERRY_NOWAIT)) == -EAGAIN)
		ppoll(&p, 1, NULL, NULL);
	end_call(a, p.fd < 0 ? p.fd : rc);
	pause();
}

static void be_sender(struct actor *a)
{
	struct ferry_link *box = deed_open("box");
	long id = ID_SLEEPER + (a - ledger->actor);

	begin_call(a);
	end_call(a, deed_send(box, id, FERRY_FOREVER));
	pause();
}

static void be_dead(struct actor *a)
{
	round_.sc->dies(deed_open("box"));
	a->done = 1;
	pause();
}

static void be_recoverer(struct actor *a)
{
	begin_call(a);
	deed_gc();
	end_call(a, 0);
	pause();
}

static void be_one_of_a_crowd(struct actor *a)
{
	deed_create("other");
	a->done = 1;
	pause();
}

static void be_helper(struct actor *a)
{
	round_.sc->help();
	end_call(a, 0);
	pause();
}

static struct actor *spawn(void (*be)(struct actor *))
{
	struct actor *a = &ledger->actor[n_actors++];
	pid_t pid, parent = getpid();

	pid = fork();
	if (pid) {
		a->pid = pid;
		return a;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(2);
	if (be != be_victim && be != second_be)
		any_cpu();
	while (sem_wait(&a->go))
		;
	be(a);
	_exit(0);
}

/* Auditor */

static void setup_failed(const char *what)
{
	violate(FAULT_OTHER, "the round could not be set up: %s", what);
	_exit(1);
}

bool round_await(struct actor *a, double seconds)
{
	struct look_limit limit = look_limit(seconds);

	while (!a->done) {
		if (look_is_over(&limit))
			return false;
		look_pause_us(100);
	}
	return true;
}

static void open_boxes(struct round *r)
{
	if (r->sc->flags & SC_TWO_BOXES)
		r->other = deed_create("other");
	if (!(r->sc->flags & SC_NO_BOX))
		r->box = deed_create("box");
	if (r->sc->flags & SC_DEAD_LETTERS)
		r->other = deed_open("other");
	for (int i = 0; i < r->sc->queued; i++)
		if (deed_send(r->box, ID_QUEUED + i, FERRY_NOWAIT))
			setup_failed("a message does not fit");
}

static void hire(struct round *r)
{
	const struct scenario *sc = r->sc;

	r->victim = spawn(be_victim);
	for (int i = 0; i < sc->receivers; i++)
		r->sleeper[r->n_sleepers++] =
			spawn(i < sc->loops ? be_loop : be_receiver);
	for (int i = 0; i < sc->senders; i++)
		r->sleeper[r->n_sleepers++] = spawn(be_sender);
	if (sc->dies)
		r->dead = spawn(be_dead);
	if (sc->help)
		r->helper = spawn(be_helper);
}

void round_end(struct actor *a)
{
	kill(a->pid, SIGKILL);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Each of them joins the realm. */
static void gather_crowd(struct round *r)
{
	for (int i = 0; i < r->sc->crowd; i++) {
		struct actor *a = spawn(be_one_of_a_crowd);

		if (i == 0)
			r->crowd = a;
		sem_post(&a->go);
		if (!round_await(a, 5))
			setup_failed("one of the crowd does not get in");
	}
}

static void let_one_die(struct round *r)
{
	sem_post(&r->dead->go);
	if (!round_await(r->dead, 5))
		setup_failed("the process that dies first hangs");
	if (!(r->sc->wake))
		round_end(r->dead);
}

static void exhaust(struct round *r)
{
	struct ferry_message *m = r->loan;

	while (r->n_loans < MAX_LOANS &&
	       ferry_loan(r->box, scenario_size(r->sc), m, FERRY_NOWAIT) == 0) {
		r->n_loans++;
		m++;
	}
	if (r->n_loans == MAX_LOANS)
		setup_failed("there is no end of chunks");
}

/*
 * A sleeper looks for the dead a moment after it lay down and once more
 * later, as nobody may have heard the bell before.  Such a look could hide
 * that a wake-up was lost; who has slept for longer has only its wake-up.
 */
#define AGE_US 150000

static void start_sleepers(struct round *r)
{
	for (int i = 0; i < r->n_sleepers; i++) {
		struct actor *a = r->sleeper[i];
		struct look_limit limit = look_limit(6 * HANG_S);

		sem_post(&a->go);
		while (!a->ready || (!a->done && !look_in_futex(a->pid)))
			if (look_is_over(&limit))
				setup_failed("a sleeper does not sleep");
	}
}

/* What happens once the victim sleeps, or is about to be killed before. */
static void wake(struct round *r)
{
	if (r->woke)
		return;
	r->woke = true;
	start_sleepers(r);
	if (r->aged && (r->n_sleepers || r->sc->wake))
		look_pause_us(AGE_US);
	if (r->sc->wake)
		r->sc->wake(r);
}

static enum step_result approach(struct stepper *s, const struct orders *o)
{
	if (o->approach == BY_BREAKPOINT)
		return step_run_to(s, o->trace, o->k);
	s->record = o->approach == BY_RECORD ? o->trace : NULL;
	return step_to(s, o->k);
}

static void drive_victim(struct round *r, const struct orders *o,
			 struct stepper *s)
{
	enum step_result result = approach(s, o);

	if (result == STEP_BLOCKED && r->sc->wake) {
		wake(r);
		result = approach(s, o);
	}
	wake(r);
	ledger->outcome = result;
	ledger->steps = s->steps;
	/* Or its kills would prove nothing. */
	if (o->approach == BY_RECORD && (result != STEP_DONE || !ledger->did))
		violate(FAULT_OTHER, "the victim %s",
			result == STEP_DONE ? "ends, and has not done it" :
					      "does not come to its end");
}

/* Some wait for the victim, at most this long before it goes on. */
#define HELP_S 0.05

static void let_help(struct round *r)
{
	bool laps = r->sc->flags & SC_LAPS;

	sem_post(&r->helper->go);
	if (!round_await(r->helper, laps ? HANG_S : HELP_S) && laps)
		violate(FAULT_HANG, "nobody gets by a stopped process");
}

static void finish_victim(struct round *r, struct stepper *s)
{
	if (r->helper)
		let_help(r);
	r->killed_at = look_clock();
	if ((r->sc->flags & SC_RESUME) && !step_finish(s, HANG_S))
		violate(FAULT_HANG, "the victim went on and never returned");
	step_kill(s);
}

/*
 * Somebody repairs after the victim, and is killed in the middle of it: at
 * full speed, after a random time, so inside system calls as well.
 */
static void kill_a_recoverer(struct orders *o, struct actor *a)
{
	double wait = (rand_r(&o->seed) % 1000) * RECOVERY_S / 1000;
	double begun;

	sem_post(&a->go);
	while (!a->ready)
		look_pause_us(20);
	for (begun = look_clock(); look_clock() < begun + wait;)
		if (a->done)
			break;
	if (a->done)
		ledger->repaired++;
	round_end(a);
}

static void use_cpu(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

void round_run(const struct orders *orders)
{
	struct orders o = *orders;
	struct round *r = &round_;
	struct actor *recoverer[2];
	struct stepper s;

	r->sc = o.sc;
	r->k = o.k;
	r->aged = o.aged;
	r->deaths = o.second ? 2 : 1;
	use_cpu(o.cpu);
	deed_setup(o.sc);
	hire(r);
	for (int i = 0; i < o.recoverers; i++)
		recoverer[i] = spawn(be_recoverer);
	if (o.second) {
		second_start(&o);
		r->second = spawn(second_be);
	}
	any_cpu();
	gather_crowd(r);
	open_boxes(r);
	use_cpu(o.cpu);
	if (r->second)
		second_attach(r);
	sem_post(&r->victim->go);
	if (!step_attach(&s, r->victim->pid, &ledger->marks))
		setup_failed("the victim does not stop");
	if (r->dead)
		let_one_die(r);
	if (r->sc->exhaust)
		exhaust(r);
	if (!r->sc->wake)
		wake(r);
	drive_victim(r, &o, &s);
	if (r->second)
		second_await(r);
	finish_victim(r, &s);
	if (r->second)
		second_drive(r, &o);
	for (int i = 0; i < o.recoverers; i++)
		kill_a_recoverer(&o, recoverer[i]);
	for (int i = 0; i < r->sc->crowd; i++)
		round_end(&r->crowd[i]);
	any_cpu();
	(r->sc->verify ? r->sc->verify : audit_queue)(r);
	ferry_close(r->box);
	ferry_close(r->other);
	audit_residue(&o);
	ledger->finished = 1;
	_exit(0);
}
