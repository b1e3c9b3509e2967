/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine: one mailbox, its realm's registry, and the processes
 * that use them, each a coroutine.
 *
 *	world.c		processes: begin, be killed, be stopped; the seam's side
 *	kernel.c	what src/sys would ask the kernel: futexes, locks, clock
 *	schedule.c	who goes on, who is killed or stopped, when time passes
 *	actor.c		what a process does: the public calls of the library
 *	history.c	what happened; check.c judges it
 *
 * Above sys/ everything is the library's own code, from ferry_send() down.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <ferry.h>

#include "history.h"
#include "link/mailbox.h"
#include "random.h"
#include "realm/segment.h"
#include "realm/state.h"
#include "sys/process.h"

#define SIM_PROCS 14
#define SIM_SLOTS 8
#define SIM_STACK 65536
#define SIM_NAP	  48 /* words one sleep may watch */
#define SIM_HOLDS 3
#define SIM_NEVER INT64_MAX
#define SIM_LONG  256 /* the largest message */

/* A futex_waitv call, as the kernel sees it. */
struct nap {
	uint32_t *addr[SIM_NAP];
	bool queued[SIM_NAP];
	unsigned n;
	int woken; /* the highest index that was woken, or -1 */
	bool asleep;
	bool interrupted; /* by a stop: to be begun anew */
	int64_t until;
	uint64_t ticket; /* who came first is woken first */
};

struct holding {
	struct ferry_message m;
	unsigned id;
};

enum life { UNUSED, ALIVE, DYING, DEAD };

struct proc {
	enum life life; /* DYING: dead, its locks not yet dropped */
	bool killed;
	bool stopped;
	bool ending; /* it was cancelled: give everything back and go */
	unsigned number;
	bool starved;	     /* dying, and others have its CPU */
	int64_t locks_until; /* step at which a dying one's locks go */
	int64_t stop_until;  /* step */
	uint64_t stop_laps;  /* or until so many messages were accepted */
	uint64_t priority;
	uint64_t random;
	uint32_t *token; /* what its robust list points to */
	struct nap nap;
	void *sp;

	/* what the library keeps in a process */
	struct ferryi_realm realm;
	struct ferryi_segment *segment;
	struct ferryi_mailbox mailbox;
	struct ferry_link link;
	struct ferryi_identity self;

	/* its program */
	bool auditor;
	unsigned actions, sends; /* of 16 actions so many send */
	struct holding held[SIM_HOLDS], lent[SIM_HOLDS];
	unsigned n_held, n_lent;
};

/* What the seed has chosen. */
struct plan {
	unsigned n_procs, slice, changes, horizon;
	unsigned kills, stops, comers;
	bool by_priority, unfair, jumps, closes, waits, pairs;
	struct ferryi_choice choice;
	unsigned spares, large; /* chunks of the two pools */
};

struct world {
	uint64_t random;
	struct plan plan;
	struct proc procs[SIM_PROCS];
	unsigned n_procs;
	struct proc *current;
	void *sp;	       /* the scheduler's */
	int64_t base, granted; /* steps */
	int64_t now;	       /* ns of the simulated clock */
	uint64_t tickets;
	bool bell_lost; /* a bell rang while nobody could hear it */
	unsigned ids;
	uint64_t accepted;
	struct {
		uint16_t len;
		uint8_t sender;
	} sent[HISTORY_IDS];
	struct ferryi_header header;
	struct ferryi_queue queue;
	struct {
		uint64_t kills, stops, recoveries, sleeps, takes;
	} count;
};

extern struct world world;

/* world.c */
void world_make(uint64_t seed);
void world_end(void);
int64_t world_steps(void);
struct proc *world_begin(bool auditor);
void world_resume(struct proc *p, int64_t steps);
void world_kill(struct proc *p);
void world_stop(struct proc *p);
void world_continue(struct proc *p);
bool world_is_repaired(const struct proc *p);
struct ferryi_registry *world_registry(void);

/* kernel.c */
void kernel_exit(struct proc *p);
void kernel_drop_locks(struct proc *p);
void kernel_interrupt(struct proc *p);
bool kernel_can_run(struct proc *p);
void kernel_forget_locks(void);

/* actor.c: the life of world.current */
void actor_live(void);

/* schedule.c */
void schedule_plan(struct plan *p);
void schedule_run(void);

/* sim.c: what the seam's word is, for people */
const char *sim_place(const void *where);

#endif
