/* SPDX-License-Identifier: MIT */
/*
 * Who goes on, and what befalls them.  Everything is decided by the seed:
 *
 *   - who runs: anybody, changed every few steps; or by priorities that change
 *     at a few points only, which finds what needs few but exact preemptions
 *   - kills at random steps, a second one often soon after the first, so that
 *     it meets the repair; newcomers, who move into the slots of the dead
 *   - stops, until the others have gone round the ring three times, or for some
 *     steps, or until all of them sleep
 *   - time, which passes when all sleep, and now and then in jumps
 *
 * When nobody can run, that is noted (EV_QUIET): then nobody may be asleep
 * beside work.  There is no safety net in here: FERRY_NET_MS is 0.
 */
#include "world.h"

#define MOST_STEPS 3000000

static int64_t next_kill, next_stop, next_comer, next_change;

/* --- the plan ------------------------------------------------------------- */

static uint32_t below(uint32_t n)
{
	return random_below(&world.random, n);
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

void schedule_plan(struct plan *p)
{
	static const uint8_t capacities[] = { 1, 1, 2, 2, 3, 4, 5, 8 };
	static const uint8_t slices[] = { 1, 2, 4, 16, 64 };
	static const uint16_t horizons[] = { 300, 1200, 5000 };

	p->n_procs = 2 + below(4);
	p->by_priority = one_in(3);
	p->slice = slices[below(sizeof slices)];
	p->changes = 1 + below(5);
	p->horizon = horizons[below(3)];
	p->kills = one_in(4) ? 0 : 1 + below(3);
	p->stops = one_in(2) ? 0 : 1 + below(3);
	p->comers = below(3);
	p->unfair = one_in(8);
	p->jumps = one_in(4);
	p->closes = one_in(6);
	p->waits = !one_in(8);
	p->pairs = one_in(2);
	p->spares = 1 + below(3);
	p->large = 1 + below(3);
	p->choice.capacity = capacities[below(sizeof capacities)];
	p->choice.message_max = one_in(2) ? 96 : 256;
	p->choice.full = one_in(6) ? FERRY_FULL_FAIL : FERRY_FULL_BLOCK;
	p->choice.delivery = one_in(6) ? FERRY_AT_MOST_ONCE :
					 FERRY_AT_LEAST_ONCE;
	p->choice.persistence = FERRY_PERSIST_KERNEL;
}

static int64_t after(unsigned n)
{
	return world_steps() + below(n);
}

static void begin_one(void)
{
	static const uint8_t senders[] = { 2, 8, 14 };
	struct proc *p = world_begin(false);

	if (!p)
		return;
	p->actions = 2 + below(14);
	p->sends = senders[below(3)];
}

/* --- who is next ---------------------------------------------------------- */

static struct proc *pick(void)
{
	struct proc *ready[SIM_PROCS], *best;
	unsigned n = 0;

	for (unsigned i = 0; i < world.n_procs; i++)
		if (kernel_can_run(&world.procs[i]))
			ready[n++] = &world.procs[i];
	if (!n)
		return NULL;
	if (!world.plan.by_priority)
		return ready[below(n)];
	best = ready[0];
	for (unsigned i = 1; i < n; i++)
		if (ready[i]->priority > best->priority)
			best = ready[i];
	return best;
}

/* Steps until the next one may be another. */
static int64_t slice(void)
{
	int64_t now = world_steps(), n;

	if (world.plan.by_priority)
		n = next_change - now;
	else
		n = below(2 * world.plan.slice - 1);
	n = next_kill - now < n ? next_kill - now : n;
	n = next_stop - now < n ? next_stop - now : n;
	return n < 0 ? 0 : n;
}

/* The one that runs is put behind all others. */
static void change_priority(struct proc *p)
{
	if (world_steps() < next_change)
		return;
	p->priority = below(1u << 16);
	next_change = world.plan.changes && world.plan.changes-- ?
			      after(world.plan.horizon) :
			      world_steps() + 4096;
}

/* --- kills, stops, newcomers ---------------------------------------------- */

static struct proc *victim(struct proc *running)
{
	struct proc *p;

	if (running->life == ALIVE && !one_in(4))
		return running;
	for (unsigned n = 0; n < 8; n++) {
		p = &world.procs[below(world.n_procs)];
		if (p->life == ALIVE)
			return p;
	}
	return NULL;
}

static void kill_some(struct proc *running)
{
	struct proc *p;

	if (world_steps() < next_kill)
		return;
	next_kill = SIM_NEVER;
	p = victim(running);
	if (p)
		world_kill(p);
	if (--world.plan.kills)
		next_kill = after(one_in(2) ? 300 : world.plan.horizon);
	if (next_comer == SIM_NEVER && world.plan.comers && one_in(2))
		next_comer = after(500);
}

static void stop_some(struct proc *running)
{
	struct proc *p;

	if (world_steps() < next_stop)
		return;
	next_stop = SIM_NEVER;
	p = victim(running);
	if (p && !p->stopped) {
		world_stop(p);
		p->stop_laps =
			world.accepted + 3 * (world.queue.ring_mask + 1) + 1;
		p->stop_until = one_in(2) ? SIM_NEVER : after(2000);
	}
	if (--world.plan.stops)
		next_stop = after(world.plan.horizon);
}

static void let_come(void)
{
	if (world_steps() < next_comer)
		return;
	next_comer = --world.plan.comers ? after(world.plan.horizon) :
					   SIM_NEVER;
	begin_one();
}

static void end_waits_of(struct proc *p)
{
	if (p->stopped &&
	    (world.accepted >= p->stop_laps || world_steps() >= p->stop_until))
		world_continue(p);
	if (p->life == DYING && world_steps() >= p->locks_until)
		kernel_drop_locks(p);
}

static void jump(void)
{
	if (world.plan.jumps && one_in(200))
		world.now += FERRY_MS(1 + below(one_in(4) ? 300 : 20));
}

static void run_while_possible(void)
{
	struct proc *p;

	while (world_steps() < MOST_STEPS && (p = pick())) {
		world_resume(p, slice());
		change_priority(p);
		kill_some(p);
		stop_some(p);
		let_come();
		for (unsigned i = 0; i < world.n_procs; i++)
			end_waits_of(&world.procs[i]);
		jump();
	}
}

/* --- when nobody can run -------------------------------------------------- */

static bool is_asleep(const struct proc *p)
{
	return p->life == ALIVE && p->nap.asleep;
}

static struct proc *a_stopped_one(void)
{
	for (unsigned i = 0; i < world.n_procs; i++)
		if (world.procs[i].stopped)
			return &world.procs[i];
	return NULL;
}

static const struct proc *an_unrepaired_one(void)
{
	for (unsigned i = 0; i < world.n_procs; i++)
		if (world.procs[i].life == DYING ||
		    (world.procs[i].life == DEAD &&
		     !world_is_repaired(&world.procs[i])))
			return &world.procs[i];
	return NULL;
}

static int64_t first_alarm(unsigned *out_asleep)
{
	int64_t first = SIM_NEVER;

	*out_asleep = 0;
	for (unsigned i = 0; i < world.n_procs; i++) {
		const struct proc *p = &world.procs[i];

		if (!is_asleep(p))
			continue;
		++*out_asleep;
		if (p->nap.until < first)
			first = p->nap.until;
	}
	return first;
}

/* False: nothing will ever happen any more. */
static bool go_on(void)
{
	struct proc *stopped = a_stopped_one();
	unsigned asleep;
	int64_t alarm = first_alarm(&asleep);

	if (!stopped && asleep && !an_unrepaired_one())
		history_add(EV_QUIET, NOBODY, 0, 0);
	if (stopped && (alarm == SIM_NEVER || one_in(2))) {
		world_continue(stopped);
		return true;
	}
	if (alarm == SIM_NEVER)
		return false;
	if (alarm > world.now)
		world.now = alarm;
	return true;
}

/* The dying end when nobody else can run; but one that is starved of its CPU
 * first lets some alarms of others pass. */
static void let_the_dying_end(void)
{
	unsigned asleep;
	bool alarm = first_alarm(&asleep) != SIM_NEVER;

	for (unsigned i = 0; i < world.n_procs; i++) {
		struct proc *p = &world.procs[i];

		if (p->life == DYING && !(p->starved && alarm && !one_in(16)))
			kernel_drop_locks(p);
	}
}

static void run_to_the_end(void)
{
	const struct proc *dead;
	unsigned asleep;

	do {
		run_while_possible();
		let_the_dying_end();
	} while (world_steps() < MOST_STEPS && go_on());
	if (world_steps() >= MOST_STEPS)
		history_add(EV_ENDLESS, NOBODY, 0, MOST_STEPS);
	dead = an_unrepaired_one();
	first_alarm(&asleep);
	if (dead && asleep && !world.bell_lost)
		history_add(EV_UNNOTICED, dead->number, 0, 0);
}

/* Everybody gives back what it has, and leaves. */
static void end_all(void)
{
	world.plan.stops = world.plan.comers = 0;
	next_stop = next_comer = SIM_NEVER;
	for (unsigned i = 0; i < world.n_procs; i++)
		if (world.procs[i].life == ALIVE)
			ferry_cancel(&world.procs[i].link);
	run_to_the_end();
	for (unsigned i = 0; i < world.n_procs; i++)
		if (world.procs[i].life == ALIVE)
			history_add(EV_STUCK, i, 0, 0);
}

void schedule_run(void)
{
	const struct plan *p = &world.plan;
	struct proc *auditor;

	next_kill = p->kills ? after(p->horizon) : SIM_NEVER;
	next_stop = p->stops ? after(p->horizon) : SIM_NEVER;
	next_comer = SIM_NEVER;
	next_change = after(p->horizon);
	for (unsigned i = 0; i < p->n_procs; i++)
		begin_one();
	run_to_the_end();
	end_all();
	do { /* who audits may be killed as well, in the midst of its repair */
		auditor = world_begin(true);
		run_to_the_end();
		if (auditor && auditor->life == ALIVE)
			history_add(EV_STUCK, auditor->number, 0, 0);
	} while (auditor && auditor->killed);
}
