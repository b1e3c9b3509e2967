/* SPDX-License-Identifier: MIT */
/* See spin.h. */
#include "wait/spin.h"

#include "sys/clock.h"

#define SKIP_MAX  255u
#define PAUSE_NS  1000
#define GATHERED  3u /* messages that make a pause worth it */
#define TRIAL_MIN 32u
#define TRIAL_MAX 4096u

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

void ferryi_spin_hit(struct ferryi_spin *s)
{
	put(&s->calls, get(&s->calls) + 1);
}

static void pause_ns(int64_t ns)
{
	int64_t end = ferryi_now() + ns;

	while (ferryi_now() < end)
		ferryi_spin_relax();
}

/* Whether to pause at this wait, by what the last pause brought. */
static bool learn_pause(struct ferryi_spin *s)
{
	uint32_t calls = get(&s->calls), gap = get(&s->gap);
	uint32_t trial = get(&s->trial);

	put(&s->calls, 0);
	if (get(&s->pausing)) {
		if (calls >= GATHERED) {
			put(&s->gap, TRIAL_MIN);
			return true;
		}
		gap = gap * 2 < TRIAL_MAX ? gap * 2 : TRIAL_MAX;
		put(&s->gap, gap);
		put(&s->trial, gap);
		put(&s->pausing, 0);
		return false;
	}
	if (trial > 0) {
		put(&s->trial, trial - 1);
		return false;
	}
	put(&s->gap, gap > TRIAL_MIN ? gap : TRIAL_MIN);
	put(&s->pausing, 1);
	return true;
}

bool ferryi_spin_begin(struct ferryi_spin *s)
{
	uint32_t left = get(&s->left);

	if (left > 0) {
		put(&s->left, left - 1);
		put(&s->calls, 0);
		return false;
	}
	if (learn_pause(s))
		pause_ns(PAUSE_NS);
	return true;
}

void ferryi_spin_end(struct ferryi_spin *s, bool found)
{
	uint32_t skip = found ? 0 : get(&s->skip) * 2 + 1;

	skip = skip < SKIP_MAX ? skip : SKIP_MAX;
	put(&s->skip, skip);
	put(&s->left, skip);
}
