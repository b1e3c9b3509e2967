/* SPDX-License-Identifier: MIT */
/* See spin.h. */
#include "wait/spin.h"

#define SKIP_MAX 255u

#define get(p)	  __atomic_load_n((p), __ATOMIC_RELAXED)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

void ferryi_spin_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

bool ferryi_spin_begin(struct ferryi_spin *s)
{
	uint32_t left = get(&s->left);

	if (left > 0)
		put(&s->left, left - 1);
	return left == 0;
}

void ferryi_spin_end(struct ferryi_spin *s, bool found)
{
	uint32_t skip = found ? 0 : get(&s->skip) * 2 + 1;

	skip = skip < SKIP_MAX ? skip : SKIP_MAX;
	put(&s->skip, skip);
	put(&s->left, skip);
}
