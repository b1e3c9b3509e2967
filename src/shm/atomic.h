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
 * Two neighbouring words in one step, the first at a multiple of 16 bytes.
 * Only where ferryi_has_pairs(): the first x86-64 processors have no such
 * instruction, aarch64 waits for its memory order to be argued, and
 * ThreadSanitizer does not see into it.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#include <cpuid.h>

static inline bool ferryi_has_pairs(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & bit_CMPXCHG16B;
}

static inline bool ferryi_cas_pair(void *p, uint64_t from0, uint64_t from1,
				   uint64_t to0, uint64_t to1)
{
	bool done;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@cce"(done), "+m"(*(char(*)[16])p), "+a"(from0),
			   "+d"(from1)
			 : "b"(to0), "c"(to1)
			 : "memory");
	return done;
}

#else

static inline bool ferryi_has_pairs(void)
{
	return false;
}

static inline bool ferryi_cas_pair(void *p, uint64_t from0, uint64_t from1,
				   uint64_t to0, uint64_t to1)
{
	(void)p, (void)from0, (void)from1, (void)to0, (void)to1;
	return false;
}

#endif

/* Reads before it are not made after it: of bytes that may be overwritten, and then
 * of the word that tells whether they were.  ThreadSanitizer knows no fences. */
static inline void ferryi_fence(void)
{
#ifndef __SANITIZE_THREAD__
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

/*
 * The word that tells of what was written before it.  Without a fence: what is
 * loaded after it may have been loaded before it reaches the memory, and whoever
 * relies on the opposite makes a barrier for both (sys/barrier.h).
 */
static inline void ferryi_publish(uint64_t *p, uint64_t v, bool fence)
{
	if (fence) {
		ferryi_store(p, v);
		return;
	}
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* This line will be written soon.  A hint: wrong addresses cost nothing. */
static inline void ferryi_prefetch(const void *p)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
	__builtin_prefetch(p, 1, 3);
#endif
}

/*
 * A field that another process may be writing: read once, so that the value
 * that was checked is the value that is used.
 */
#define ferryi_fetch(p)	 __atomic_load_n((p), __ATOMIC_RELAXED)
#define ferryi_put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

#endif
