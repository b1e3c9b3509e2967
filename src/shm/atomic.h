/* SPDX-License-Identifier: MIT */
/*
 * The seam to the processor: every access to a word that processes share.
 *
 * All of them are sequentially consistent.  doc/memory-order.md lists which
 * pairs need what, so that a weaker order can be argued one pair at a time;
 * and a test that wants to decide the interleaving replaces this header.
 */
#ifndef FERRYI_SHM_ATOMIC_H
#define FERRYI_SHM_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define ferryi_load(p)	   __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define ferryi_store(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define ferryi_or(p, v)	   __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define ferryi_and(p, v)   __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define ferryi_add(p, v)   __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)

static inline bool ferryi_cas(uint64_t *p, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(p, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline bool ferryi_cas32(uint32_t *p, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(p, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * A field that another process may be writing: read once, so that the value
 * that was checked is the value that is used.
 */
#define ferryi_fetch(p)	 __atomic_load_n((p), __ATOMIC_RELAXED)
#define ferryi_put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

#endif
