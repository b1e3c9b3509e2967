/* SPDX-License-Identifier: MIT */
/*
 * The seam: this header stands in front of src/shm/atomic.h when the library is
 * compiled for the simulation.  Each access to a shared word first asks the
 * scheduler whether somebody else goes on here; so does each piece of a copied
 * payload.  One thread runs all, so the accesses themselves are plain.
 */
#ifndef FERRYI_SHM_ATOMIC_H
#define FERRYI_SHM_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Steps that the running process may still make before it is asked. */
extern int64_t sim_fuel;
extern bool sim_tracing;
void sim_point(const char *what, const void *where, const char *function);
void *sim_copy(void *to, const void *from, size_t len);

static inline void sim_step(const char *what, const volatile void *where,
			    const char *function)
{
	if (--sim_fuel < 0 || sim_tracing)
		sim_point(what, (const void *)where, function);
}

#define SIM_STEP(what, p) sim_step(what, p, __func__)

#define ferryi_load(p)                                                         \
	({                                                                     \
		SIM_STEP("load", p);                                           \
		*(volatile __typeof__(*(p)) *)(p);                             \
	})
#define ferryi_store(p, v)                                                     \
	({                                                                     \
		SIM_STEP("store", p);                                          \
		*(volatile __typeof__(*(p)) *)(p) = (v);                       \
	})
#define sim_change(what, p, op, v)                                             \
	({                                                                     \
		__typeof__(*(p)) sim_old;                                      \
		SIM_STEP(what, p);                                             \
		sim_old = *(p);                                                \
		*(p) = sim_old op(v);                                          \
		sim_old;                                                       \
	})
#define ferryi_or(p, v)	 sim_change("or", p, |, v)
#define ferryi_and(p, v) sim_change("and", p, &, v)
#define ferryi_add(p, v) sim_change("add", p, +, v)

#define ferryi_cas(p, from, to)	  sim_cas(p, from, to, __func__)
#define ferryi_cas32(p, from, to) sim_cas32(p, from, to, __func__)

static inline bool sim_cas(uint64_t *p, uint64_t from, uint64_t to,
			   const char *function)
{
	sim_step("cas", p, function);
	if (*(volatile uint64_t *)p != from)
		return false;
	*(volatile uint64_t *)p = to;
	return true;
}

static inline bool sim_cas32(uint32_t *p, uint32_t from, uint32_t to,
			     const char *function)
{
	sim_step("cas", p, function);
	if (*(volatile uint32_t *)p != from)
		return false;
	*(volatile uint32_t *)p = to;
	return true;
}

/* Two neighbouring words in one step; half of the seeds do without. */
extern bool sim_has_pairs;

static inline bool ferryi_has_pairs(void)
{
	return sim_has_pairs;
}

#define ferryi_cas_pair(p, from0, from1, to0, to1)                             \
	sim_cas_pair((uint64_t *)(p), from0, from1, to0, to1, __func__)

static inline bool sim_cas_pair(uint64_t *p, uint64_t from0, uint64_t from1,
				uint64_t to0, uint64_t to1,
				const char *function)
{
	sim_step("cas2", p, function);
	if (p[0] != from0 || p[1] != from1)
		return false;
	p[0] = to0;
	p[1] = to1;
	return true;
}

#define ferryi_prefetch(p) ((void)(p))
#define ferryi_fence()	   ((void)0)
/* Every step is one of the scheduler's: there are no store buffers here. */
#define ferryi_publish(p, v, fence) ((void)(fence), ferryi_store(p, v))

#define ferryi_fetch(p)	 ferryi_load(p)
#define ferryi_put(p, v) ferryi_store(p, v)

#define memcpy(to, from, len) sim_copy(to, from, len)

#endif
