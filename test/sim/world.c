/* SPDX-License-Identifier: MIT */
/* The processes and the memory that they share: see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/recover.h"
#include "switch.h"

#define SEGMENT_BYTES (8 * 4096)

struct world world;
int64_t sim_fuel;
bool sim_tracing, sim_has_pairs;

static uint8_t stacks[SIM_PROCS][SIM_STACK] __attribute__((aligned(64)));
static uint8_t segment[SEGMENT_BYTES] __attribute__((aligned(4096)));
static struct ferryi_registry_control control;
static struct ferryi_slot slots[SIM_SLOTS];
static struct ferryi_registry registry = { &control, slots };

struct ferryi_registry *world_registry(void)
{
	return &registry;
}

int64_t world_steps(void)
{
	return world.base + world.granted - sim_fuel;
}

/* --- the seam ------------------------------------------------------------- */

static void trace(const char *what, const void *where, const char *function)
{
	printf("%8u                 p%-2u     %-6s %s in %s()\n",
	       (unsigned)world_steps(), world.current->number, what,
	       sim_place(where), function);
}

void sim_point(const char *what, const void *where, const char *function)
{
	struct proc *p = world.current;

	if (!p) /* the scheduler itself looks */
		return;
	if (sim_tracing)
		trace(what, where, function);
	if (sim_fuel < 0)
		sim_switch(&p->sp, world.sp);
}

#undef memcpy
void *sim_copy(void *to, const void *from, size_t len)
{
	size_t piece = len / 3 + 1, n;

	for (size_t at = 0; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		sim_step("copy", (char *)to + at, __func__);
		memcpy((char *)to + at, (const char *)from + at, n);
	}
	return to;
}

/* --- the mailbox ---------------------------------------------------------- */

/* The planned pools are far larger than is good for a search: make them tiny. */
static void shrink(struct ferryi_header *h, unsigned spares, unsigned large)
{
	uint64_t at;

	h->classes[1].count = spares;
	h->n_chunks = h->classes[0].count + spares;
	if (h->n_classes > 2) {
		h->n_classes = 3;
		h->classes[2].first = h->n_chunks;
		h->classes[2].count = large;
		h->n_chunks += large;
	}
	at = h->records_at + h->n_chunks * sizeof(struct ferryi_record);
	for (uint32_t k = 0; k < h->n_classes; k++) {
		at = ferryi_round_up(at, FERRYI_PAGE);
		h->classes[k].payload_at = at;
		at += h->classes[k].size * h->classes[k].count;
	}
	h->preamble.total_bytes = ferryi_round_up(at, FERRYI_PAGE);
	h->checksum =
		ferryi_checksum(h, offsetof(struct ferryi_header, checksum));
}

static void make_mailbox(void)
{
	const struct plan *p = &world.plan;
	struct ferryi_header *h = &world.header;
	const char *why = "";

	if (ferryi_layout_plan(h, &p->choice, &why) < 0)
		abort();
	shrink(h, p->spares, p->large);
	if (h->preamble.total_bytes > SEGMENT_BYTES ||
	    ferryi_layout_check(h, h->preamble.total_bytes, &why) < 0)
		abort();
	memset(segment, 0, h->preamble.total_bytes);
	memcpy(segment, h, sizeof *h);
	ferryi_queue_attach(&world.queue, segment, h);
	ferryi_queue_format(world.queue.control, h);
	world.queue.control->joins = 2;
	memset(&control, 0, sizeof control);
	memset(slots, 0, sizeof slots);
	control.reserved = SIM_SLOTS;
}

static void note_terms(void)
{
	const struct ferryi_header *h = &world.header;

	history.n = 0;
	history.terms = (struct terms){
		.capacity = (uint32_t)h->choice.capacity,
		.chunks = h->n_chunks,
		.chunks_large = h->n_classes > 2 ? h->classes[2].count : 0,
		.small = FERRYI_INLINE,
		.at_most_once = h->choice.delivery == FERRY_AT_MOST_ONCE,
		.refuses = h->choice.full == FERRY_FULL_FAIL,
	};
}

void world_make(uint64_t seed)
{
	memset(&world, 0, offsetof(struct world, count));
	world.random = seed * 0x2545f4914f6cdd1dull + 1;
	world.now = FERRY_S(100);
	sim_fuel = 0;
	schedule_plan(&world.plan);
	sim_has_pairs = world.plan.pairs;
	kernel_forget_locks();
	make_mailbox();
	note_terms();
}

/* --- processes ------------------------------------------------------------ */

static void entry(void)
{
	struct proc *p = world.current;

	actor_live();
	kernel_exit(p);
	sim_switch(&p->sp, world.sp);
	abort();
}

struct proc *world_begin(bool auditor)
{
	struct proc *p = &world.procs[world.n_procs];

	if (world.n_procs == SIM_PROCS)
		return NULL;
	p->number = world.n_procs++;
	p->life = ALIVE;
	p->auditor = auditor;
	p->nap.woken = -1;
	p->random = random_next(&world.random);
	p->priority = random_next(&world.random);
	p->self.pid = 1000 + p->number;
	p->self.start_time = 1;
	p->self.pid_namespace = 1;
	p->sp = sim_stack(stacks[p->number], SIM_STACK, entry);
	history_add(EV_BEGINS, p->number, 0, 0);
	return p;
}

void world_resume(struct proc *p, int64_t steps)
{
	world.base = world_steps();
	world.granted = sim_fuel = steps;
	world.current = p;
	sim_switch(&world.sp, p->sp);
	world.current = NULL;
}

void world_kill(struct proc *p)
{
	history_add(EV_KILLED, p->number, 0, 0);
	world.count.kills++;
	p->killed = true;
	p->stopped = false;
	kernel_exit(p);
}

void world_stop(struct proc *p)
{
	history_add(EV_STOPPED, p->number, 0, 0);
	world.count.stops++;
	p->stopped = true;
	kernel_interrupt(p);
}

void world_continue(struct proc *p)
{
	history_add(EV_CONTINUED, p->number, 0, 0);
	p->stopped = false;
}

/* The slot that it had when it died is not its own any more. */
bool world_is_repaired(const struct proc *p)
{
	return !p->realm.incarnation ||
	       slots[p->realm.owner].state != p->realm.incarnation;
}

/* The heap of those who were killed. */
void world_end(void)
{
	for (unsigned i = 0; i < world.n_procs; i++)
		if (world.procs[i].segment) {
			free(world.procs[i].segment->name);
			free(world.procs[i].segment);
		}
}
